"""Our public address behind TLS, with a certificate that nobody vouches for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.tls import TlsServer, certificate, serving


@dataclass
class Front:
    """`requests`: how many got through TLS."""

    url: str = ""
    requests: int = 0


@contextmanager
def tls_front() -> Iterator[Front]:
    front = Front()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            front.requests += 1
            self.send_response(200)
            self.end_headers()

    with TemporaryDirectory() as folder:
        server = TlsServer(Handler, certificate(Path(folder)))
    with serving(server):
        front.url = f"https://127.0.0.1:{server.server_port}"
        yield front
