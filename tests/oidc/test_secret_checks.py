"""Short client secrets: found neither by trying, nor a way to make the host work. O6."""

import threading
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth import hashers

from abuse import throttle
from core.redis import redis_client
from oidc import client_secrets, secret_checks
from oidc.models import Client
from projects.config import ProjectConfig
from tests import factories
from tests.api.conftest import SECRET, problem
from tests.api.conftest import App as ApiApp
from tests.clock import later
from tests.oidc.app import basic, refusal

pytestmark = pytest.mark.django_db

HERE, ELSEWHERE = "203.0.113.7", "198.51.100.1"
SHORT = "hunter2"


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the slow hash was asked for."""
    asked: list[str] = []
    real = hashers.check_password

    def note(secret: str, stored: str) -> bool:
        asked.append(secret)
        return bool(real(secret, stored))

    monkeypatch.setattr(client_secrets, "check_password", note)
    return asked


@pytest.fixture
def client(project: ProjectConfig) -> Client:
    return factories.make_client(project, secret=SHORT, client_id="acme-server")


def tries(client: Client, secret: str, count: int, *, address: str = HERE) -> list[bool]:
    return [secret_checks.matches(secret, client=client, address=address) for _ in range(count)]


def test_a_right_secret_is_hashed_once(client: Client, hashed: list[str]) -> None:
    """O6: a server that proves itself with every call neither waits nor uses up its tries."""
    assert tries(client, SHORT, 500) == [True] * 500

    assert hashed == [SHORT]


def test_wrong_ones_from_one_address_come_to_an_end(client: Client, hashed: list[str]) -> None:
    """O6: before the hash, not after it; others go on, and so does this address when the window is over."""
    limit = throttle.ceiling("secret.address").amount
    assert tries(client, "wrong", limit) == [False] * limit

    with pytest.raises(throttle.TooMany) as refused:
        tries(client, "wrong", 1)
    assert 0 < refused.value.wait_seconds <= 600
    assert len(hashed) == limit
    assert tries(client, SHORT, 1, address=ELSEWHERE) == [True]
    with later(601):
        assert tries(client, "wrong", 1) == [False]


def test_many_addresses_share_one_ceiling(client: Client, settings: LazySettings) -> None:
    """O6: a word is not found by a thousand machines either."""
    settings.AUTHSVC_LIMITS = {"secret.client": "5/1h"}
    for nth in range(5):
        assert tries(client, "wrong", 1, address=f"10.0.{nth}.1") == [False]

    with pytest.raises(throttle.TooMany):
        tries(client, "wrong", 1, address="10.0.9.1")


def test_other_networks_cannot_lock_the_client_out(client: Client, settings: LazySettings) -> None:
    """O6: it has known its secret before: in this process, and from its network in any."""
    settings.AUTHSVC_LIMITS = {"secret.client": "2/1h"}
    assert tries(client, SHORT, 1) == [True]
    assert tries(client, "wrong", 1, address="10.0.0.1") == [False]
    with pytest.raises(throttle.TooMany):
        tries(client, "wrong", 1, address="10.0.9.1")

    assert tries(client, SHORT, 3, address=ELSEWHERE) == [True] * 3
    if redis_client():
        secret_checks._verified.clear()  # another process
        assert tries(client, SHORT, 1) == [True]


def test_a_new_secret_makes_the_old_one_wrong(client: Client) -> None:
    assert tries(client, SHORT, 1) == [True]
    client.client_secret = client_secrets.hash_secret("hunter3")

    assert tries(client, SHORT, 1) == [False]
    assert tries(client, "hunter3", 1) == [True]


def test_two_clients_with_one_secret_are_two(client: Client, project: ProjectConfig) -> None:
    other = factories.make_client(project, secret="hunter3", client_id="other")
    assert tries(client, SHORT, 1) == [True]

    assert tries(other, SHORT, 1) == [False]


def test_what_is_remembered_is_bounded(
    client: Client, monkeypatch: pytest.MonkeyPatch, hashed: list[str]
) -> None:
    """O6"""
    monkeypatch.setattr(secret_checks._verified, "max_entries", 2)
    for secret in ("one", "two", "three", "one"):
        client.client_secret = {"one": ONE, "two": TWO, "three": THREE}[secret]
        assert tries(client, secret, 1) == [True]

    assert hashed == ["one", "two", "three", "one"]
    assert len(secret_checks._verified) == 2


ONE, TWO, THREE = (client_secrets.hash_secret(text) for text in ("one", "two", "three"))


def test_long_secrets_have_no_limit(project: ProjectConfig, hashed: list[str]) -> None:
    """They cannot be found by trying."""
    client = factories.make_client(project, secret=SECRET, client_id="acme-server")

    assert tries(client, "wrong", 200) == [False] * 200
    assert tries(client, SECRET, 1) == [True]
    assert hashed == []


def test_no_more_than_two_are_hashed_at_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """O6: the other threads serve people."""
    inside, go_on, most = threading.Semaphore(0), threading.Event(), []
    running = 0
    guard = threading.Lock()

    def slow(_secret: str, _stored: str) -> bool:
        nonlocal running
        with guard:
            running += 1
            most.append(running)
        inside.release()
        go_on.wait(10)
        with guard:
            running -= 1
        return False

    monkeypatch.setattr(client_secrets, "check_password", slow)
    monkeypatch.setattr(secret_checks, "_MAX_WAIT_SECONDS", 0.05)
    answers: list[object] = []

    def act(nth: int) -> None:
        try:
            answers.append(secret_checks.matches("wrong", client=client, address=f"10.1.{nth}.1"))
        except throttle.TooMany as error:
            answers.append(error.wait_seconds)

    first = [threading.Thread(target=act, args=(nth,)) for nth in range(2)]
    for thread in first:
        thread.start()
    for _ in first:
        assert inside.acquire(timeout=10)
    act(2)
    assert answers == [1]
    go_on.set()
    for thread in first:
        thread.join(timeout=10)

    assert answers == [1, False, False]
    assert max(most) == 2


def test_the_endpoints_say_so(client: Client) -> None:
    """O6: 429 and when to come back, at every endpoint where a client proves itself, by header and by form."""
    from django.test import Client as Http

    limit = throttle.ceiling("secret.address").amount
    http = Http()
    for nth in range(limit):
        way: dict[str, Any] = {"HTTP_AUTHORIZATION": basic("acme-server", "wrong")} if nth % 2 else {}
        fields = {"token": "t"} | ({} if way else {"client_id": "acme-server", "client_secret": "wrong"})
        page = http.post(
            "/oauth2/introspect/", "&".join(f"{name}={value}" for name, value in fields.items()),
            content_type="application/x-www-form-urlencoded", **way,
        )  # fmt: skip
        assert refusal(page, 401) == "invalid_client"

    for path in ("introspect", "token", "revoke_token", "par"):
        body = "grant_type=authorization_code&code=c&token=t&client_id=acme-server&client_secret=wrong"
        page = http.post(f"/oauth2/{path}/", body, content_type="application/x-www-form-urlencoded")
        assert refusal(page, 429) == "temporarily_unavailable"
        assert int(page["Retry-After"]) > 0
    api = ApiApp("acme-server", secret="wrong")
    problem(api.start(), 429, "rate_limited")
    problem(api.read("A" * 72), 429, "rate_limited")
