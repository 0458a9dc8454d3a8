"""Passkeys as they are used, without the pages: who is asked for which, and which answers prove something."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import webauthn
from django.utils import timezone

from tests.console.staff.authenticator import Authenticator, encoded
from tests.users.members import CHALLENGE, ELSEWHERE, HERE, answer_of, member, register, use
from users import passkeys
from users.models import Passkey, User
from users.passkeys import Place, Refused

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def ann() -> User:
    return member()


@pytest.fixture
def device(ann: User) -> Authenticator:
    """Ann's own, registered with a count of 1, which counts on."""
    device = Authenticator()
    register(ann, device)
    device.count = 2
    return device


@pytest.fixture
def synchronised(ann: User) -> Authenticator:
    """Another of hers, which does not count."""
    device = Authenticator(count=0, credential_id=b"synchronised")
    register(ann, device)
    return device


def state() -> list[tuple[Any, ...]]:
    return list(Passkey.objects.order_by("id").values_list("id", "sign_count", "used_at", "user"))


def test_the_passkey_that_answered(ann: User, device: Authenticator, synchronised: Authenticator) -> None:
    """Of two it alone is marked as used."""
    passkey = use(ann, answer_of(ann, device), now=NOW)

    assert passkey.credential_id == encoded(device.credential_id)
    stored = {row.credential_id: (row.sign_count, row.used_at) for row in Passkey.objects.all()}
    assert stored == {
        encoded(device.credential_id): (2, NOW),
        encoded(synchronised.credential_id): (0, None),
    }


def test_a_browser_is_asked_for_own_passkeys_of_this_host(ann: User, device: Authenticator) -> None:
    register(ann, Authenticator(credential_id=b"elsewhere"), ELSEWHERE)
    register(member("bob"), Authenticator(credential_id=b"of bob"))

    options = passkeys.authentication_options(user_id=ann.pk, place=HERE, challenge=CHALLENGE)

    assert [item["id"] for item in options["allowCredentials"]] == [encoded(device.credential_id)]
    assert (options["rpId"], options["challenge"]) == ("localhost", encoded(CHALLENGE))
    assert options["userVerification"] == "required"


def test_where_a_user_has_one(ann: User, device: Authenticator) -> None:
    bob = member("bob")
    register(bob, Authenticator(credential_id=b"elsewhere"), ELSEWHERE)

    assert [passkeys.exist(ann.pk, place) for place in (HERE, ELSEWHERE, None)] == [True, False, False]
    assert [passkeys.exist(bob.pk, place) for place in (HERE, ELSEWHERE, None)] == [False, True, False]


@pytest.mark.parametrize(("count", "is_right"), [(0, False), (1, False), (2, True), (2**32 - 1, True)])
def test_a_counter_must_rise(count: int, is_right: bool, ann: User, device: Authenticator) -> None:
    """One that stands still or went back is that of a copy."""
    device.count = count
    answer, before = answer_of(ann, device), state()

    if is_right:
        use(ann, answer)
        assert Passkey.objects.get().sign_count == count
    else:
        with pytest.raises(Refused):
            use(ann, answer)
        assert state() == before


def test_a_key_that_did_not_count_and_begins_to(ann: User, synchronised: Authenticator) -> None:
    """From then on it must go on."""
    for count, is_right in ((0, True), (5, True), (5, False), (0, False), (6, True)):
        synchronised.count = count
        answer = answer_of(ann, synchronised)
        if is_right:
            use(ann, answer)
        else:
            with pytest.raises(Refused):
                use(ann, answer)


@pytest.mark.parametrize(("asked", "is_right"), [(-3600, False), (-1, False), (0, True), (1, True)])
def test_nothing_counts_that_was_asked_for_before_the_last_use(
    asked: int, is_right: bool, ann: User, synchronised: Authenticator
) -> None:
    """A key without a counter shows by nothing else that an answer is an old one."""
    answer = answer_of(ann, synchronised)
    use(ann, answer, now=NOW)
    before = state()

    asked_at = NOW + timedelta(seconds=asked)
    if is_right:
        use(ann, answer, asked_at=asked_at, now=NOW + timedelta(seconds=2))
        assert Passkey.objects.get().used_at == NOW + timedelta(seconds=2)
    else:
        with pytest.raises(Refused, match="used since"):
            use(ann, answer, asked_at=asked_at, now=NOW + timedelta(seconds=2))
        assert state() == before


type Change = Callable[[dict[str, Any]], object]


def _with(**fields: object) -> Change:
    return lambda answer: answer.update(fields)


def _response(name: str, change: Callable[[str], object]) -> Change:
    return lambda answer: answer["response"].update({name: change(answer["response"][name])})


@pytest.mark.parametrize(
    "change",
    [
        *(_with(id=None), _with(id=5), _with(id=[]), _with(id=""), _with(id="credential")),
        *(_with(rawId=encoded(b"another")), _with(rawId=None), _with(type="password"), _with(response=[])),
        _response("signature", lambda text: text[:-4]),
        _response("signature", lambda text: encoded(b"0") + text),
        _response("authenticatorData", lambda text: text[:-4]),
        _response("authenticatorData", lambda text: text[:-2] + "AA"),
        _response("clientDataJSON", lambda _text: encoded(b"{}")),
        _response("clientDataJSON", lambda _text: encoded(b"[" * 5000)),
    ],
)
def test_a_changed_answer_is_refused(change: Change, ann: User, device: Authenticator) -> None:
    answer, before = json.loads(answer_of(ann, device)), state()
    change(answer)

    with pytest.raises(Refused):
        use(ann, json.dumps(answer))
    assert state() == before


def test_an_answer_is_right_for_one_user_host_and_challenge(ann: User, device: Authenticator) -> None:
    answer, bob, before = answer_of(ann, device), member("bob"), state()
    other_origin = Place(rp_id=HERE.rp_id, origin="http://localhost:8000")

    for user, place, challenge in (
        (bob, HERE, CHALLENGE),
        (ann, ELSEWHERE, CHALLENGE),
        (ann, other_origin, CHALLENGE),
        (ann, HERE, b"d" * 32),
    ):
        with pytest.raises(Refused):
            passkeys.verify(
                user_id=user.pk, place=place, challenge=challenge, asked_at=NOW, answer=answer, now=NOW
            )
    assert state() == before


def test_a_registration_is_no_proof(ann: User, device: Authenticator) -> None:
    answer = device.create({"challenge": encoded(CHALLENGE), "rp": {"id": "localhost"}})

    with pytest.raises(Refused):
        use(ann, answer)


@pytest.mark.parametrize(
    "change", [{"sign_count": 2}, {"used_at": NOW}, None], ids=["counted", "used", "removed"]
)
def test_what_was_compared_must_still_be_stored(
    change: dict[str, object] | None, ann: User, device: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second post of the answer, or a removal, while the first is being judged."""
    real = webauthn.verify_authentication_response

    def judge(**fields: Any) -> Any:
        rows = Passkey.objects.filter(user=ann)
        rows.update(**change) if change else rows.delete()
        return real(**fields)

    monkeypatch.setattr(webauthn, "verify_authentication_response", judge)
    answer = answer_of(ann, device)

    with pytest.raises(Refused, match="at the same time"):
        use(ann, answer, now=NOW + timedelta(minutes=1))
    assert not Passkey.objects.filter(used_at__gt=NOW).exists()
