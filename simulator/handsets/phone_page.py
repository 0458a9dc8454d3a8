"""The phone page: static files that show a handset in the browser. All its addresses are relative."""

from functools import partial
from pathlib import Path

from simulator.server.routing import HTML_TYPE, Request, Response, Route

STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".html": HTML_TYPE,
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def routes() -> list[Route]:
    """One route per file that exists: no path of a request ever reaches the file system."""
    assets = [path for path in sorted(STATIC.iterdir()) if path.suffix in (".css", ".js", ".svg")]
    return [
        Route("GET", "/phone", _redirect),
        Route("GET", "/phone/", partial(_serve, STATIC / "phone.html")),
        *(Route("GET", f"/phone/static/{path.name}", partial(_serve, path)) for path in assets),
    ]


def _serve(path: Path, _request: Request) -> Response:
    return Response(body=path.read_bytes(), content_type=_TYPES[path.suffix], headers=_HEADERS)


def _redirect(_request: Request) -> Response:
    return Response(status=308, headers={"Location": "phone/"})
