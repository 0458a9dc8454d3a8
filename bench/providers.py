"""Both providers as a benchmark needs them: they take everything at once and note when. Meta's may report a failure.

It runs in the process of the client, whose CPU is not counted.
"""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from itertools import count
from urllib.parse import parse_qs

from bench.load import signature

REPORT_AFTER_SECONDS = 0.05  # Meta's failures come when the message has been accepted


class Providers:
    """`taken`: the moment (of time.perf_counter) at which a number's message arrived, by number, for each channel.
    `reported`: when the report of a number that is in `fails` was posted. All numbers in E.164."""

    def __init__(self, *, webhook_port: int, app_secret: str, report: Callable[[str, str], bytes]) -> None:
        """`report`: the body of a failure, of a delivery's id and a message's id."""
        self.whatsapp: dict[str, float] = {}
        self.sms: dict[str, float] = {}
        self.reported: dict[str, float] = {}
        self.fails: set[str] = set()
        self._webhook_port, self._app_secret, self._report = webhook_port, app_secret, report
        self._numbers = count()
        self._posting: set[asyncio.Task[None]] = set()

    async def serve(self, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._connection, "127.0.0.1", port)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lines = {
                    name.lower(): value
                    for name, _, value in (line.partition(": ") for line in head.split("\r\n"))
                }
                body = await reader.readexactly(int(lines.get("content-length", "0")))
                answer = self._whatsapp(body) if "/2010-04-01/" not in head else self._twilio(body)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                    % (len(answer), answer)
                )

    def _whatsapp(self, body: bytes) -> bytes:
        asked = json.loads(body)
        phone, message_id = asked["to"], f"wamid.{next(self._numbers):040}"
        self.whatsapp[phone] = time.perf_counter()
        if phone in self.fails:
            self._start(self._fail(phone, self._report(asked["biz_opaque_callback_data"], message_id)))
        return json.dumps(
            {"messaging_product": "whatsapp", "contacts": [{"input": phone, "wa_id": phone[1:]}],
             "messages": [{"id": message_id, "message_status": "accepted"}]}
        ).encode()  # fmt: skip

    def _twilio(self, body: bytes) -> bytes:
        (phone,) = parse_qs(body.decode())["To"]
        self.sms[phone] = time.perf_counter()
        return json.dumps({"sid": f"SM{next(self._numbers):032x}", "status": "queued", "to": phone}).encode()

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)

    async def _fail(self, phone: str, body: bytes) -> None:
        await asyncio.sleep(REPORT_AFTER_SECONDS)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._webhook_port)
        self.reported[phone] = time.perf_counter()
        writer.write(
            b"POST /whatsapp/webhook HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/json\r\n"
            b"X-Hub-Signature-256: %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
            % (self._webhook_port, signature(body, self._app_secret).encode(), len(body), body)
        )
        with closing(writer):
            answer = await reader.read()
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the webhook answered {answer[:60]!r}")


@contextmanager
def running(providers: Providers, *, port: int) -> Iterator[None]:
    """They answer on this port until the block ends. The loop lives in a thread of its own from its making to its
    closing: the caller's thread may have one already. Raises OSError when the port is taken."""
    serving: Future[Callable[[], object]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(providers, port, serving)), daemon=True)
    thread.start()
    stop = serving.result()
    try:
        yield
    finally:
        stop()
        thread.join()


async def _serve(providers: Providers, port: int, serving: Future[Callable[[], object]]) -> None:
    """Until what `serving` receives is called, by any thread. `asyncio.run` ends the connections that are open then."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    try:
        server = await providers.serve(port)
    except OSError as error:
        serving.set_exception(error)
        return
    serving.set_result(lambda: loop.call_soon_threadsafe(ended.set))
    await ended.wait()
    server.close()
