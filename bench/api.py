"""Logins over the JSON API: start and verify, with tokens. Django must be set up before this is used."""

import json
import threading

from bench import load
from bench.load import Browser

CLIENT = "bench-app"
PATH = "/api/v1/challenges"
_HEADERS = {"Content-Type": "application/json"}


def make_client() -> None:
    """A public client of the one project, whose ID tokens are signed with ES256."""
    from oidc.models import Client
    from projects.models import Project

    Client.objects.create(
        project=Project.objects.get(),
        client_id=CLIENT,
        client_type="public",
        algorithm="ES256",
        redirect_uris="https://bench.example/callback",
    )


def code_of(name: str) -> str:
    """The code of the challenge that an id of the API names, derived as the worker derives it."""
    from django.conf import settings

    from api import challenge_ids
    from otp import codes

    challenge = challenge_ids.read(name)
    assert challenge
    keys = settings.AUTHSVC_OTP_KEYS
    return codes.derive(challenge_id=challenge.challenge_id, key_id=next(iter(keys)), length=6, keys=keys)


class Apps:
    """Applications that remember the ids of their challenges."""

    def __init__(self, port: int) -> None:
        self.browsers = [Browser(port) for _ in range(load.CLIENTS)]
        self.names: dict[str, str] = {}
        self._lock = threading.Lock()

    def _call(
        self, nth: int, path: str, body: dict[str, str], *, expected: int
    ) -> tuple[float, dict[str, str]]:
        answers: list[bytes] = []

        def post() -> int:
            response, content = self.browsers[nth].request("POST", path, json.dumps(body).encode(), _HEADERS)
            answers.append(content)
            return response.status

        took = load.timed(post, expected=expected)
        answer: dict[str, str] = json.loads(answers[0])
        return took, answer

    def start(self, nth: int, phone: str) -> float:
        took, answer = self._call(nth, PATH, {"client_id": CLIENT, "phone": phone}, expected=201)
        with self._lock:
            self.names[phone] = answer["id"]
        return took

    def verify(self, nth: int, phone: str) -> float:
        name = self.names[phone]
        took, _ = self._call(nth, f"{PATH}/{name}/verify", {"code": code_of(name)}, expected=200)
        return took
