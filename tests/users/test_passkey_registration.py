"""Passkeys as they are made, without the pages: what a browser is asked for, and which answers are kept."""

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.console.staff.authenticator import Authenticator, encoded
from tests.users.members import CHALLENGE, ELSEWHERE, HERE, answer_of, member, register, use
from users import passkeys
from users.models import Passkey, User
from users.passkeys import Place, Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return member()


def offer(user: User, place: Place = HERE) -> dict[str, Any]:
    return passkeys.registration_options(user_id=user.pk, name="ann", place=place, challenge=CHALLENGE)


def send(user: User, answer: str) -> Passkey:
    return passkeys.register(user_id=user.pk, name="Phone", place=HERE, challenge=CHALLENGE, answer=answer)


def numbered(number: int) -> Authenticator:
    return Authenticator(credential_id=f"key {number}".encode())


def fill(user: User, count: int, place: Place) -> None:
    """Stored passkeys that nobody holds."""
    Passkey.objects.bulk_create(
        Passkey(user=user, name="x", rp_id=place.rp_id, credential_id=uuid.uuid4().hex, public_key=b"x")
        for _ in range(count)
    )


def test_what_a_browser_is_asked_for(ann: User) -> None:
    """A key that verifies the person, for this account at this host."""
    options = offer(ann)

    assert options["rp"]["id"] == "localhost"
    assert (options["user"]["id"], options["user"]["name"]) == (encoded(ann.pk.bytes), "ann")
    assert options["challenge"] == encoded(CHALLENGE)
    selection = options["authenticatorSelection"]
    assert (selection["userVerification"], selection["residentKey"]) == ("required", "preferred")
    assert options["excludeCredentials"] == []


def test_own_passkeys_of_this_host_are_not_made_again(ann: User) -> None:
    here = register(ann, numbered(1))
    register(ann, numbered(2), ELSEWHERE)
    register(member("bob"), numbered(3))

    assert [item["id"] for item in offer(ann)["excludeCredentials"]] == [here.credential_id]


@pytest.mark.parametrize("count", [0, 1, 2**32 - 1])
def test_what_is_kept_of_an_answer(count: int, ann: User) -> None:
    device = Authenticator(count=count)
    register(ann, device, name="Laptop")

    kept = Passkey.objects.get()
    assert (kept.user, kept.name, kept.rp_id) == (ann, "Laptop", "localhost")
    assert (kept.credential_id, kept.sign_count) == (encoded(device.credential_id), count)
    assert kept.used_at is None


type Change = Callable[[dict[str, Any]], object]


def changed(change: Change) -> Change:
    """A change of the attestation object."""

    def in_answer(answer: dict[str, Any]) -> None:
        text = answer["response"]["attestationObject"]
        value = cbor2.loads(base64.urlsafe_b64decode(text + "=="))
        change(value)
        answer["response"]["attestationObject"] = encoded(cbor2.dumps(value))

    return in_answer


def cut(length: int) -> Change:
    return changed(lambda value: value.update(authData=value["authData"][:length]))


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer.update(id=encoded(b"another")),
        lambda answer: answer.update(type="password"),
        changed(lambda value: value.update(fmt="unheard of")),
        changed(lambda value: value.update(attStmt={"sig": b"x"})),
        changed(lambda value: value.update(attStmt=None, fmt="tpm")),
        changed(lambda value: value.pop("authData")),
        *(cut(length) for length in (0, 36, 37, 54, 56, 90)),
    ],
)
def test_a_changed_answer_is_refused(change: Change, ann: User) -> None:
    answer = json.loads(Authenticator().create(offer(ann)))
    change(answer)

    with pytest.raises(Refused):
        send(ann, json.dumps(answer))
    assert not Passkey.objects.exists()


@pytest.mark.parametrize(
    ("device", "asked"),
    [
        (Authenticator(origin="https://localhost"), {}),
        (Authenticator(origin="http://localhost.evil.example"), {}),
        (Authenticator(verifies=False), {}),
        (Authenticator(credential_id=b""), {}),
        (Authenticator(), {"challenge": encoded(b"d" * 32)}),
        (Authenticator(), {"challenge": ""}),
        (Authenticator(), {"rp": {"id": "login.acme.example"}}),
    ],
    ids=["scheme", "origin", "not verified", "no id", "challenge", "no challenge", "host"],
)
def test_an_answer_to_something_else_is_refused(
    device: Authenticator, asked: dict[str, Any], ann: User
) -> None:
    with pytest.raises(Refused):
        send(ann, device.create(offer(ann) | asked))
    assert not Passkey.objects.exists()


def test_a_proof_is_no_registration(ann: User) -> None:
    device = Authenticator()

    with pytest.raises(Refused):
        send(ann, device.get({"challenge": encoded(CHALLENGE), "rpId": "localhost"}))
    assert not Passkey.objects.exists()


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.text(), st.just("AAAA")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["id", "rawId", "type", "response", "clientDataJSON", "attestationObject"]), inner
        ),
    ),
)


@given(answer=st.one_of(st.text(), json_values.map(json.dumps)))
def test_nonsense_is_refused_and_no_error(answer: str, ann: User) -> None:
    with pytest.raises(Refused):
        send(ann, answer)


@pytest.mark.parametrize(("length", "is_kept"), [(1, True), (1050, True), (1051, False)])
def test_an_id_may_be_as_long_as_its_column(length: int, is_kept: bool, ann: User) -> None:
    device = Authenticator(credential_id=b"i" * length)

    if is_kept:
        register(ann, device)
        assert use(ann, answer_of(ann, Authenticator(credential_id=b"i" * length, key=device.key, count=2)))
    else:
        with pytest.raises(Refused, match="too long"):
            register(ann, device)


def test_an_account_has_twenty_at_all_hosts_together(ann: User) -> None:
    fill(ann, 12, HERE)
    fill(ann, 7, ELSEWHERE)

    register(ann, numbered(20))
    for place in (HERE, ELSEWHERE):
        with pytest.raises(Refused, match="too many"):
            register(ann, numbered(21), place)
    assert Passkey.objects.filter(user=ann).count() == passkeys.MOST
    assert register(member("bob"), numbered(21))


def test_a_known_key_stays_where_it_is(ann: User) -> None:
    """Neither its name nor its owner changes, and the transaction goes on."""
    device, bob = numbered(1), member("bob")
    answers = [device.create(offer(user)) for user in (ann, bob)]
    register(ann, device, name="Laptop")

    for user, answer in zip((ann, bob), answers, strict=True):
        with pytest.raises(Refused, match="known"):
            send(user, answer)

    assert list(Passkey.objects.values_list("user", "name")) == [(ann.pk, "Laptop")]
