"""A person at a login page, over HTTP and without scripts."""

import html
import re
from dataclasses import dataclass, field

import httpx

from tests.processes import Ports, certificates, until
from tests.simulator_client import SimulatorClient


def hidden_fields(page: str) -> dict[str, str]:
    return {
        name: html.unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    }


@dataclass
class Person:
    """One browser and one phone."""

    ports: Ports
    phone: str
    client: httpx.Client = field(init=False)
    handset: SimulatorClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(
            base_url=self.ports.base, headers={"Origin": self.ports.base}, timeout=10, verify=certificates()
        )
        self.handset = SimulatorClient(self.ports.handsets)

    def close(self) -> None:
        self.client.close()
        self.handset.close()

    def ask_for_code(self) -> httpx.Response:
        fields = hidden_fields(self.client.get("/login/").text)
        return self.client.post("/login/", data={**fields, "country": "HK", "phone": self.phone})

    def status(self) -> dict[str, object]:
        status: dict[str, object] = self.client.get("/login/status/").json()
        return status

    def wait_for_code(self, channel: str, seconds: float = 20) -> str:
        def code() -> str:
            messages = [item for item in self.handset.messages(self.phone) if item["channel"] == channel]
            return str(messages[-1]["code"]) if messages else ""

        try:
            return until(code, f"a code by {channel}", seconds)
        except AssertionError as error:
            error.add_note(f"the page shows: {self.status()}")
            error.add_note(f"the provider saw: {self.handset.sends(to=self.phone)}")
            raise

    def type_code(self, code: str) -> httpx.Response:
        fields = hidden_fields(self.client.get("/login/code/").text)
        return self.client.post(
            "/login/code/", data={"csrfmiddlewaretoken": fields["csrfmiddlewaretoken"], "code": code}
        )

    def account(self) -> httpx.Response:
        return self.client.get("/account/")
