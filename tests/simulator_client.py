"""A simulator inside the test's process, and a client of its control API."""

import threading
import time
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import httpx

from simulator.accounts import Accounts
from simulator.server.http_server import Server
from simulator.server.simulator import Simulator

POLL_SECONDS = 0.01


class SimulatorClient:
    """A client of the control API. Numbers are E.164; close it, or use it as a context manager."""

    def __init__(self, base_url: str) -> None:
        self.http = httpx.Client(base_url=base_url, trust_env=False, timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.http.close()

    def messages(self, phone: str) -> list[dict[str, Any]]:
        return self._list(f"/handsets/{quote(phone)}/messages")

    def handset(self, phone: str) -> dict[str, Any]:
        return self._object("GET", f"/handsets/{quote(phone)}")

    def set_handset(self, phone: str, **changes: object) -> dict[str, Any]:
        return self._object("PUT", f"/handsets/{quote(phone)}", changes)

    def faults(self) -> dict[str, Any]:
        return self._object("GET", "/faults")

    def set_faults(self, **changes: object) -> dict[str, Any]:
        return self._object("PUT", "/faults", changes)

    def sends(self, **filters: str | int) -> list[dict[str, Any]]:
        return self._list("/sends", filters)

    def report(self, phone: str, *, channel: str, status: str, code: int | None = None) -> dict[str, Any]:
        return self._object(
            "POST", "/reports", {"to": phone, "channel": channel, "status": status, "code": code}
        )

    def set_template(self, name: str, language: str, status: str, **more: object) -> dict[str, Any]:
        """Pause, disable, approve … a template; its account is notified unless `report` is False."""
        return self._object("PUT", f"/templates/{name}/{language}", {"status": status, **more})

    def account_event(self, field: str, value: dict[str, object], **more: object) -> dict[str, Any]:
        return self._object("POST", "/account-events", {"field": field, "value": value, **more})

    def verify_address(self, verify_token: str) -> bool:
        """Meta's handshake, as when callback URL and token are entered there: whether it ends well."""
        return bool(self._object("POST", "/handshake", {"verify_token": verify_token})["verified"])

    def add_accounts(self, **accounts: object) -> None:
        self.http.put("/accounts", json=accounts).raise_for_status()

    def reset(self) -> None:
        self.http.delete("/state").raise_for_status()

    def wait_for_code(self, phone: str, channel: str | None = None, timeout: float = 5.0) -> str:
        """The newest code on the handset. Raises TimeoutError when none arrives."""
        end = time.monotonic() + timeout
        while True:
            for message in reversed(self.messages(phone)):
                if message["code"] and channel in (None, message["channel"]):
                    return str(message["code"])
            if time.monotonic() >= end:
                raise TimeoutError(f"no code arrived within {timeout} s")
            time.sleep(POLL_SECONDS)

    def _object(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        response = self.http.request(method, path, json=body)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    def _list(self, path: str, query: dict[str, str | int] | None = None) -> list[dict[str, Any]]:
        response = self.http.get(path, params=query)
        response.raise_for_status()
        answer: list[dict[str, Any]] = response.json()
        return answer


@dataclass(slots=True)
class RunningSimulator:
    """A simulator served by threads of this process; a context manager that stops it."""

    simulator: Simulator
    server: Server
    thread: threading.Thread

    @property
    def url(self) -> str:
        host, port = self.server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def graph_url(self) -> str:
        """What WHATSAPP_API_URL is set to."""
        return f"{self.url}/v26.0"

    @property
    def webhook_url(self) -> str:
        return self.simulator.reporter.webhook_url

    @webhook_url.setter
    def webhook_url(self, url: str) -> None:
        self.simulator.reporter.webhook_url = url

    def client(self) -> SimulatorClient:
        return SimulatorClient(self.url)

    def stop(self) -> None:
        self.server.close()
        self.thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(port: int = 0, *, webhook_url: str, accounts: Accounts | None = None) -> RunningSimulator:
    """Serve on the loopback; port 0 takes a free one."""
    simulator = Simulator(accounts=accounts or Accounts(), webhook_url=webhook_url)
    try:
        server = Server(("127.0.0.1", port), simulator)
    except OSError:
        simulator.close()
        raise
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="simulator")
    thread.start()
    return RunningSimulator(simulator, server, thread)
