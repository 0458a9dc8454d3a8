"""Passkeys: made, used, and refused where anything about the answer is not as it must be."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from console.staff import proofs
from tests.console.staff.authenticator import Authenticator
from tests.console.staff.support import (
    SECOND,
    SECURITY,
    add_passkey,
    browser,
    is_in,
    password,
    shown_codes,
    sign_in,
    use_passkey,
    with_app,
)
from users import passkeys
from users.models import Passkey, User


@pytest.fixture
def device(root: User) -> Authenticator:
    """Root's own, registered on the security page."""
    device, client = Authenticator(), browser()
    sign_in(client, root)
    assert len(shown_codes(add_passkey(client, device))) == 10  # root had none
    return device


def test_a_passkey_signs_in(device: Authenticator) -> None:
    client = browser()
    password(client)
    device.count += 1

    assert "Use a passkey" in client.get(SECOND).content.decode()
    assert use_passkey(client, device)["Location"] == "/admin/"
    assert is_in(client)
    passkey = Passkey.objects.get()
    assert (passkey.sign_count, passkey.name, passkey.rp_id) == (2, "Laptop", "localhost")
    assert passkey.used_at is not None


def test_the_browser_is_asked_to_verify_the_person(device: Authenticator) -> None:
    """A stolen key alone opens nothing."""
    client = browser()
    password(client)
    options = client.post(f"{SECOND}passkey/").json()

    assert options["userVerification"] == "required"
    assert options["rpId"] == "localhost"
    assert [item["id"] for item in options["allowCredentials"]] == [Passkey.objects.get().credential_id]


@pytest.mark.parametrize(
    "fault",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:8000"},
        {"verifies": False},
        {"count": 1},
        {"count": 0},
        {"credential_id": b"of somebody else"},
        {"key": Authenticator().key},
    ],
    ids=lambda fault: next(iter(fault)),
)
def test_a_wrong_answer_is_refused(fault: dict[str, Any], device: Authenticator) -> None:
    """Another site, no verification, a copied key (the counter stands still), another key."""
    client = browser()
    password(client)
    device.count = 2
    for name, value in fault.items():
        setattr(device, name, value)

    assert use_passkey(client, device).status_code == 200
    assert not is_in(client)
    assert Passkey.objects.get().sign_count == 1


@pytest.mark.parametrize(
    "fault", [{"origin": "https://evil.example"}, {"verifies": False}], ids=["origin", "verified"]
)
def test_a_wrong_registration_is_refused(fault: dict[str, Any], root: User) -> None:
    client = browser()
    sign_in(client, root)

    add_passkey(client, Authenticator(**fault))

    assert not Passkey.objects.exists()


def test_a_counter_that_stays_at_zero_is_that_of_a_synchronised_passkey(root: User) -> None:
    client, device = browser(), Authenticator(count=0)
    sign_in(client, root)
    add_passkey(client, device)

    for _ in range(2):
        other = browser()
        password(other)
        assert use_passkey(other, device).status_code == 302


def test_an_answer_works_once(device: Authenticator) -> None:
    """The challenge is gone with the first one, also for a wrong one."""
    client = browser()
    password(client)
    options = client.post(f"{SECOND}passkey/").json()
    device.count += 1
    answer = device.get(options)
    assert client.post(SECOND, {"credential": answer[:-1]}).status_code == 200

    assert client.post(SECOND, {"credential": answer}).status_code == 200
    assert not is_in(client)


def test_a_challenge_is_this_sessions_own(device: Authenticator) -> None:
    client, other = browser(), browser()
    password(client)
    password(other)
    device.count += 1
    answer = device.get(client.post(f"{SECOND}passkey/").json())
    other.post(f"{SECOND}passkey/")

    assert other.post(SECOND, {"credential": answer}).status_code == 200
    assert not is_in(other)


def test_a_challenge_lives_five_minutes(device: Authenticator) -> None:
    client = browser()
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        password(client)
        options = client.post(f"{SECOND}passkey/").json()
        device.count += 1
        clock.shift(timedelta(minutes=5, seconds=1))
        assert client.post(SECOND, {"credential": device.get(options)}).status_code == 200
    assert not is_in(client)


def test_a_registrations_challenge_signs_nobody_in(root: User, device: Authenticator) -> None:
    """Purposes are kept apart."""
    client = browser()
    sign_in(client, root)
    device.count += 1
    challenge = client.post(f"{SECURITY}passkey/").json()["challenge"]
    answer = device.get({"challenge": challenge, "rpId": "localhost"})

    assert client.post(f"{SECURITY}confirm/", {"credential": answer}).status_code == 200


@pytest.mark.parametrize(
    "answer",
    [
        *("x", "[]", "{}", '{"id": 5}', '{"id": []}', "null", "\0", "{" * 5000, "[" * 60_000),
        *('{"id": "' + "a" * 70_000 + '"}', '{"id": "' + "a" * 1401 + '"}', '{"id": "é"}', '{"id": ""}'),
        *(r'{"id": "a\u0000b"}', r'{"id": "\ud800"}'),
    ],
    ids=lambda answer: answer[:16],
)
def test_nonsense_is_refused_and_no_error(answer: str, device: Authenticator) -> None:
    client = browser()
    password(client)
    client.post(f"{SECOND}passkey/")

    assert client.post(SECOND, {"credential": answer}).status_code == 200
    known = json.dumps({"id": Passkey.objects.get().credential_id, "response": answer[:100]})
    client.post(f"{SECOND}passkey/")
    assert client.post(SECOND, {"credential": known}).status_code == 200
    assert not is_in(client)


@pytest.mark.parametrize("answer", [r'{"id": "a\u0000b"}', r'{"id": "\ud800"}', "[" * 60_000], ids=len)
def test_nonsense_registers_nothing(answer: str, root: User) -> None:
    client = browser()
    sign_in(client, root)
    client.post(f"{SECURITY}passkey/")

    assert client.post(f"{SECURITY}add/", {"name": "x", "credential": answer}).status_code == 302
    assert not Passkey.objects.exists()


def test_a_passkey_belongs_to_one_account(device: Authenticator) -> None:
    """Neither registered twice nor used for a colleague."""
    colleague = with_app("colleague")
    client = browser()
    sign_in(client, colleague)
    add_passkey(client, device)
    assert Passkey.objects.count() == 1

    other = browser()
    password(other, "colleague")
    device.count += 1
    assert use_passkey(other, device).status_code == 200
    assert not is_in(other)


def test_another_host_has_passkeys_of_its_own(device: Authenticator) -> None:
    """The browser would not offer it there, so the page does not either."""
    client = Client(headers={"host": "testserver"})
    password(client)

    assert "Use a passkey" not in client.get(SECOND).content.decode()
    assert client.post(f"{SECOND}passkey/").status_code == 404


@pytest.mark.parametrize(
    ("host", "secure", "rp_id"),
    [
        ("localhost", False, "localhost"),
        ("localhost:8000", False, "localhost"),
        ("127.0.0.1:8000", False, None),
        ("[::1]", True, None),
        ("testserver", False, None),
        ("testserver", True, "testserver"),
    ],
)
def test_where_there_are_passkeys(host: str, secure: bool, rp_id: str | None, rf: Any) -> None:
    place = proofs.place_of(rf.get("/admin/", headers={"host": host}, secure=secure))

    assert (place.rp_id if place else None) == rp_id


def test_twenty_passkeys_are_enough(root: User) -> None:
    client = browser()
    sign_in(client, root)
    for number in range(passkeys.MOST + 1):
        add_passkey(client, Authenticator(credential_id=f"key {number}".encode()))

    assert Passkey.objects.count() == passkeys.MOST


def test_a_known_passkey_is_not_offered_for_registration(device: Authenticator, root: User) -> None:
    client = browser()
    sign_in(client, root)
    options = client.post(f"{SECURITY}passkey/").json()

    assert [item["id"] for item in options["excludeCredentials"]] == [Passkey.objects.get().credential_id]
    assert options["user"]["name"] == "root"
