"""The client: threads with kept connections that post, bounded in number. Its own CPU is not counted."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from http.cookies import SimpleCookie
from urllib.parse import urlencode

CLIENTS = 32  # at once, as in the benchmark of the peers


@dataclass
class Browser:
    """One kept connection with its cookies."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection = HTTPConnection("127.0.0.1", self.port, timeout=30)

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[HTTPResponse, bytes]:
        sent = {
            "Host": f"localhost:{self.port}",
            "Origin": f"http://localhost:{self.port}",
            **(headers or {}),
        }
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            self.connection.request(method, path, body or None, sent)
            answer = self.connection.getresponse()
        except (BrokenPipeError, RemoteDisconnected):  # closed while it was idle
            self.connection.close()
            self.connection.request(method, path, body or None, sent)
            answer = self.connection.getresponse()
        content = answer.read()
        for line in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return answer, content

    def post(self, path: str, **fields: str) -> HTTPResponse:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", path, urlencode(fields).encode(), headers)[0]


@dataclass
class Outcome:
    seconds: float
    latencies: list[float]  # milliseconds


def spread[T](items: Sequence[T], act: Callable[[int, T], float], *, threads: int = CLIENTS) -> Outcome:
    """`act(thread, item)` for every item, by several threads; it gives its own latency in seconds."""
    latencies: list[float] = []
    errors: list[Exception] = []

    def work(nth: int) -> None:
        try:
            latencies.extend(act(nth, item) * 1000 for item in items[nth::threads])
        except Exception as error:  # noqa: BLE001 # ends the run below
            errors.append(error)

    workers = [threading.Thread(target=work, args=(nth,)) for nth in range(threads)]
    begun = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if errors:
        raise errors[0]
    return Outcome(time.perf_counter() - begun, latencies)


def timed(act: Callable[[], int], *, expected: int) -> float:
    begun = time.perf_counter()
    status = act()
    took = time.perf_counter() - begun
    if status != expected:
        raise RuntimeError(f"answered {status}, not {expected}")
    return took


def status_report(
    *, business_account_id: str, phone_number_id: str, deliveries: Sequence[tuple[str, str]], now: int
) -> bytes:
    """Meta's body with one `delivered` for each (delivery id, message id), compact and ASCII as on the wire."""
    statuses = [
        {
            "id": message_id, "status": "delivered", "timestamp": str(now), "recipient_id": "85251234567",
            "biz_opaque_callback_data": delivery_id,
            "pricing": {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "authentication"},
        }
        for delivery_id, message_id in deliveries
    ]  # fmt: skip
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100999", "phone_number_id": phone_number_id},
        "statuses": statuses,
    }
    entry = {"id": business_account_id, "changes": [{"field": "messages", "value": value}]}
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [entry]}, separators=(",", ":")
    ).encode()


def signature(body: bytes, app_secret: str) -> str:
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
