"""A clock that stands still, people who attack a number, and its owner."""

from datetime import timedelta
from typing import Any

import time_machine
from django.test import Client as HttpClient

from core.redis import redis_client
from tests import factories
from tests.login.conftest import Browser

HOME = "198.18.0.7"  # the owner's address


class Clock:
    """A clock that tests move by hand, in the limiter's store as well."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller

    def go(self, seconds: float) -> None:
        client = redis_client()
        for key in client.scan_iter("authsvc:limit:*") if client else ():
            left = client.pttl(key) - int(seconds * 1000)  # type: ignore[union-attr] # there is one
            client.pexpire(key, left) if left > 0 else client.delete(key)  # type: ignore[union-attr] # as above
        self._traveller.shift(timedelta(seconds=seconds))


class Stranger:
    """A script that calls the API of a public client, from as many addresses as it likes."""

    def __init__(self, host: str = "testserver", client_id: str = "acme-web") -> None:
        self.host, self.client_id = host, client_id
        self.http = HttpClient()

    def post(self, path: str, body: dict[str, Any], address: str) -> Any:
        return self.http.post(
            path, body, content_type="application/json", REMOTE_ADDR=address, headers={"Host": self.host}
        )

    def start(self, phone: str = factories.PHONE, *, address: str = "203.0.113.9", **fields: str) -> Any:
        body = {"client_id": self.client_id, "phone": phone} | fields
        return self.post("/api/v1/challenges", body, address)

    def send(self, name: str, channel: str, *, address: str = "203.0.113.9") -> Any:
        return self.post(f"/api/v1/challenges/{name}/send", {"channel": channel}, address)

    def guess(self, name: str, code: str, *, address: str = "203.0.113.9") -> Any:
        return self.post(f"/api/v1/challenges/{name}/verify", {"code": code}, address)


def logs_in(browser: Browser, phone: str = factories.PHONE) -> bool:
    """Whether a person with the phone gets in, by what the pages answer."""
    response = browser.ask(phone)
    if response.status_code != 302:
        assert response.status_code == 429
        assert int(response.headers["Retry-After"]) > 0
        return False
    return bool(browser.enter(browser.code).status_code == 302)
