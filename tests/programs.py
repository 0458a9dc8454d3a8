"""Django's test client before the WSGI application of production: programs' calls take the short way
(authsvc.programs), everything else goes on to Django."""

from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler

from authsvc.programs import Environ, Programs


class _Handler(ClientHandler):
    def __call__(self, environ: Environ) -> Any:
        by_django: list[Any] = []
        answered: list[tuple[str, list[tuple[str, str]]]] = []

        def django(environ: Environ, _start_response: object) -> list[bytes]:
            by_django.append(super(_Handler, self).__call__(environ))
            return []

        body = b"".join(Programs(django)(environ, lambda line, headers: answered.append((line, headers))))
        if by_django:
            return by_django[0]
        [(line, headers)] = answered
        response: Any = HttpResponse(body, status=int(line[:3]), headers=dict(headers))
        response.wsgi_request = WSGIRequest(environ)
        response.took_short_way = True
        return response


class ProductionClient(Client):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.handler = _Handler(self.handler.enforce_csrf_checks)


def took_short_way(response: object) -> bool:
    return getattr(response, "took_short_way", False)
