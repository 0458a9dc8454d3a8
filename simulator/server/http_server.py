"""The HTTP server: sockets and bytes on one side, `routing.Request` and `routing.Response` on the other."""

import logging
import socket
import socketserver
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from simulator.server.routes import make_router
from simulator.server.routing import Response, json_response, make_request, whole_number
from simulator.server.simulator import Simulator

logger = logging.getLogger(__name__)

BODY_MAX_BYTES = 1_000_000
IDLE_SECONDS = 120


class Server(ThreadingHTTPServer):
    """One thread per connection; connections are kept alive, so threads are few."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], simulator: Simulator) -> None:
        self.simulator = simulator
        self.router = make_router(simulator)
        self._connections: set[socket.socket] = set()
        self._connections_changed = threading.Condition()
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        # The parent asks the name service for the host's full name here, which can take seconds and serves nothing.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request_thread(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)  # noqa: S101 - tells the type checker what the parent knows
        with self._connections_changed:
            self._connections.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._connections_changed:
                self._connections.discard(request)
                self._connections_changed.notify_all()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the parent's signature
        """Log the trace of an error of ours, but no address or path, which may hold a number."""
        logger.exception("a request failed")  # noqa: LOG004 - the parent calls this while it handles the exception

    def close(self) -> None:
        """Stop serving: of the simulator's threads, and of connections that are kept alive, none is left."""
        self.shutdown()
        self.simulator.close()
        self._close_connections()
        self.server_close()

    def _close_connections(self) -> None:
        with self._connections_changed:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # The other side was faster.
            self._connections_changed.wait_for(lambda: not self._connections, timeout=2)


class Handler(BaseHTTPRequestHandler):
    """Reads a request, asks the router, writes the answer in one packet."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: Server

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True  # The client has closed its end.

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the names that http.server looks for

    def _handle(self) -> None:
        body = self._body()
        if body is None:
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = make_request(method=self.command, target=self.path, headers=headers, body=body)
        response = self.server.router.handle(request)
        try:
            if response.answered:
                self._write(response)
            else:
                self.close_connection = True
        finally:  # a message that was accepted is delivered even when its sender no longer listens
            if response.after is not None:
                response.after()

    def _body(self) -> bytes | None:
        """The body; None when it cannot be read, which has been answered if there is still a client."""
        length = whole_number(self.headers.get("Content-Length", "0"))
        if "Transfer-Encoding" in self.headers or length is None:
            self._refuse(411, "a Content-Length is required")
            return None
        if length > BODY_MAX_BYTES:
            self._refuse(413, "the body is too large")
            return None
        body = self.rfile.read(length)
        if len(body) < length:  # the client closed its end in the middle of the body
            self.close_connection = True
            return None
        return body

    def _refuse(self, status: int, reason: str) -> None:
        self.close_connection = True
        self._write(json_response({"error": reason}, status=status))

    def _write(self, response: Response) -> None:
        headers = {
            "Server": "simulator",
            "Date": self.date_time_string(),
            "Content-Type": response.content_type,
            "Content-Length": str(len(response.body)),
            **response.headers,
        }
        if self.close_connection:
            headers["Connection"] = "close"
        lines = [f"{self.protocol_version} {response.status} {HTTPStatus(response.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + response.body)

    def log_message(self, *_args: object) -> None:
        """Nothing: paths hold numbers."""
