"""Demo only: the sample shop, and a proxy to the simulated phone so that one origin serves everything."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_exempt

from login.error_pages import not_allowed
from login.pages import private, see_other
from projects.origin import address_as_sent

if TYPE_CHECKING:
    import httpx

_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
_BODY_LIMIT = 64 * 1024
_PROXIED_HEADERS = ("Content-Type", "Content-Security-Policy")

APP = "/demo/app/"
_CLIENT_ID = "demo-app"  # deploy/demo.yaml
_GOODS = (
    {"id": "mug", "name": "Stoneware mug", "cents": 1800},
    {"id": "notebook", "name": "Linen notebook", "cents": 1450},
    {"id": "lamp", "name": "Reading lamp", "cents": 6900},
    {"id": "plant", "name": "Potted fern", "cents": 2400},
    {"id": "headphones", "name": "Wool headphones", "cents": 12900},
    {"id": "candle", "name": "Beeswax candle", "cents": 1200},
)


def _require_demo() -> None:
    if settings.PRODUCTION or not settings.SIMULATOR_URL:
        raise Http404


def home(_request: HttpRequest) -> HttpResponse:
    _require_demo()
    return see_other(APP)


def app(request: HttpRequest) -> HttpResponse:
    """A single-page application that logs its users in here. It is its own redirect URI."""
    _require_demo()
    if request.method not in ("GET", "HEAD"):
        return private(not_allowed(request, ("GET", "HEAD")))
    return private(render(request, "demo/app.html", {"client_id": _CLIENT_ID, "goods": _GOODS}))


# Without a CSRF token, because the simulator renders the page; the Origin header is checked instead.
@csrf_exempt
@csp_override({})
def phone(request: HttpRequest, path: str = "") -> HttpResponse:
    """Proxies one request to the simulator's handset pages."""
    _require_demo()
    if request.method not in _METHODS:
        return HttpResponseNotAllowed(_METHODS)
    if not _same_origin(request) or any(part in (".", "..") for part in path.split("/")):
        return private(HttpResponse(status=403))
    if len(request.body) > _BODY_LIMIT:
        return private(HttpResponse(status=413))
    answer = _forward(request, path)
    if answer is None:
        return private(HttpResponse("The simulator does not answer.", status=502, content_type="text/plain"))
    headers = {name: answer.headers[name] for name in _PROXIED_HEADERS if name in answer.headers}
    response = HttpResponse(answer.content, status=answer.status_code, headers=headers)
    response.headers.setdefault(CSP.HEADER_ENFORCE.value, "frame-ancestors 'self'")
    return private(response)


def _same_origin(request: HttpRequest) -> bool:
    origin = request.headers.get("Origin")
    return origin is None or origin == address_as_sent(request)


def _forward(request: HttpRequest, path: str) -> "httpx.Response | None":
    """The simulator's answer, None when it gives none."""
    import httpx  # every web process has these views, and only the demo calls anybody with them

    content_type = request.headers.get("Content-Type")
    try:
        with httpx.Client(timeout=httpx.Timeout(5, connect=2), trust_env=False) as client:
            return client.request(
                request.method or "GET",
                f"{settings.SIMULATOR_URL}/phone/{quote(path, safe='/+')}",
                params=request.GET.urlencode() or None,
                content=request.body,
                headers={"Content-Type": content_type} if content_type else {},
            )
    except httpx.HTTPError:
        return None
