"""Error responses outside the views: problem+json under /api/, a page for people elsewhere."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from authsvc import exceptions
from authsvc import urls as urlconf

pytestmark = pytest.mark.django_db

HANDLERS: list[tuple[int, Callable[[HttpRequest], HttpResponse]]] = [
    (400, lambda request: exceptions.bad_request(request, None)),
    (403, lambda request: exceptions.permission_denied(request, None)),
    (404, lambda request: exceptions.not_found(request, None)),
    (500, exceptions.server_error),
]


@pytest.mark.parametrize(("status", "handler"), [item for item in HANDLERS if item[0] != 403])
def test_under_api_it_is_a_problem(status: int, handler: Callable[[HttpRequest], HttpResponse]) -> None:
    response = handler(RequestFactory().get("/api/v1/none"))

    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("status", "handler"), HANDLERS)
def test_elsewhere_it_is_a_page_that_is_not_stored(
    status: int, handler: Callable[[HttpRequest], HttpResponse]
) -> None:
    response = handler(RequestFactory().get("/none/"))

    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/apis/", "/x/api/", "/api"])
def test_paths_that_only_look_like_the_api_get_a_page(path: str) -> None:
    response = exceptions.not_found(RequestFactory().get(path), None)

    assert response.headers["Content-Type"].startswith("text/html")


def test_every_handler_of_the_urls_exists() -> None:
    for status in (400, 403, 404, 500):
        module, _, name = getattr(urlconf, f"handler{status}").rpartition(".")
        assert module == "authsvc.exceptions"
        assert callable(getattr(exceptions, name))


@pytest.mark.parametrize(
    ("path", "kind"), [("/nowhere/", "text/html"), ("/api/nowhere", "application/problem+json")]
)
def test_an_unknown_path_is_answered_so(path: str, kind: str, client: Client) -> None:
    response = client.get(path)

    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith(kind)


def test_a_host_that_is_not_allowed_is_a_page(client: Client) -> None:
    response = client.get("/login/", headers={"host": "evil.example"})

    assert response.status_code == 400
    assert b"evil.example" not in response.content
