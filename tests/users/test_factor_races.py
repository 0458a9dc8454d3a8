"""Different acts on the factors of one account at the same moment."""

import secrets
from collections import Counter
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from tests.console.staff.authenticator import Authenticator
from tests.threads import at_once
from tests.users.members import CHALLENGE, HERE, lose_encryption_key, member, register, salt_of
from users import passkeys, recovery_codes, second_factors, totp
from users.models import Passkey, Totp, User
from users.passkeys import Refused
from users.second_factors import LastFactor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.stores]
NOW = datetime.fromtimestamp(1_800_000_000, tz=UTC)
STEP = timedelta(seconds=30)
_TIMES = 4


@pytest.fixture
def ann() -> User:
    return member()


def device() -> Authenticator:
    return Authenticator(credential_id=secrets.token_bytes(16))


def shown(secret: str, moment: datetime = NOW) -> str:
    return pyotp.TOTP(secret).at(int(moment.timestamp()))


def test_a_set_up_is_confirmed_by_one_post(ann: User) -> None:
    """The others find nothing that waits: whoever sent them did not set up anything."""
    Totp.objects.create(user=ann, secret=pyotp.random_base32(), is_confirmed=True)
    secret, salt = totp.begin(ann.pk), salt_of(ann)

    results = at_once([lambda: totp.confirm(ann.pk, shown(secret), now=NOW)] * _TIMES)

    assert Counter(results) == {True: 1, False: _TIMES - 1}
    assert salt_of(ann) != salt
    assert Totp.objects.get().secret == secret


def test_what_is_confirmed_is_what_its_code_was_for(ann: User) -> None:
    """Whether another set-up was begun before or after."""
    first = totp.begin(ann.pk)

    confirmed, second = at_once(
        [lambda: totp.confirm(ann.pk, shown(first), now=NOW), lambda: totp.begin(ann.pk)]
    )

    later = NOW + STEP
    assert totp.waiting(ann.pk) == second
    assert totp.verify(ann.pk, shown(first, later), now=later) is confirmed
    assert not totp.verify(ann.pk, shown(str(second), later), now=later)


def test_the_latest_of_several_codes_is_remembered(ann: User) -> None:
    """An older one that is judged at the same time does not bring it back."""
    secret = pyotp.random_base32()
    Totp.objects.create(user=ann, secret=secret, is_confirmed=True)
    codes = [shown(secret, NOW + step * STEP) for step in (-1, 0, 1)]

    results = at_once([lambda code=code: totp.verify(ann.pk, code, now=NOW) for code in codes])  # type: ignore[misc] # mypy: of lambdas with defaults

    assert results[-1] is True
    assert not any(totp.verify(ann.pk, code, now=NOW) for code in codes)


def test_several_recovery_codes_are_used_up_together(ann: User) -> None:
    codes = recovery_codes.renew(ann.pk)

    results = at_once([lambda code=code: recovery_codes.use(ann.pk, code) for code in codes[:_TIMES]])  # type: ignore[misc] # mypy: of lambdas with defaults

    assert results == [True] * _TIMES
    assert recovery_codes.left(ann.pk) == 10 - _TIMES


def test_one_answer_registers_one_passkey(ann: User) -> None:
    options = passkeys.registration_options(user_id=ann.pk, name="ann", place=HERE, challenge=CHALLENGE)
    answer = Authenticator().create(options)

    results = at_once(
        [lambda: passkeys.register(user_id=ann.pk, name="x", place=HERE, challenge=CHALLENGE, answer=answer)]
        * _TIMES
    )

    assert Counter(type(result) for result in results) == {Passkey: 1, Refused: _TIMES - 1}
    assert Passkey.objects.count() == 1


def test_of_many_passkeys_removed_at_once_one_stays(ann: User) -> None:
    ids = [register(ann, Authenticator(credential_id=f"{nth}".encode())).pk for nth in range(_TIMES)]

    results = at_once(
        [
            lambda key=key: second_factors.remove(ann.pk, passkey_id=key, keep_one=True)  # type: ignore[misc] # mypy: of lambdas with defaults
            for key in ids
        ]
    )

    assert Counter(type(result) for result in results) == {bool: _TIMES - 1, LastFactor: 1}
    assert Passkey.objects.filter(user=ann).count() == 1


def test_a_removal_and_a_new_app_leave_a_factor_where_one_is_required(ann: User) -> None:
    """The app alone, or both where the passkey was the only one at that moment."""
    passkey = register(ann, Authenticator())
    secret = totp.begin(ann.pk)

    removed, confirmed = at_once(
        [
            lambda: second_factors.remove(ann.pk, passkey_id=passkey.pk, keep_one=True),
            lambda: totp.confirm(ann.pk, shown(secret), now=NOW),
        ]
    )

    assert confirmed is True
    assert Totp.objects.get().is_confirmed
    assert Passkey.objects.exists() is isinstance(removed, LastFactor)


def test_a_new_set_up_replaces_one_whose_key_is_lost(ann: User) -> None:
    """Whoever left theirs half done would not get in any more."""
    totp.begin(ann.pk)
    lose_encryption_key()

    secret = totp.begin(ann.pk)

    assert totp.waiting(ann.pk) == secret
    assert Totp.objects.count() == 1


def test_set_ups_that_begin_at_once_leave_one(ann: User) -> None:
    made = at_once([lambda: totp.begin(ann.pk)] * _TIMES)

    assert totp.waiting(ann.pk) in made
    assert Totp.objects.count() == 1


def test_codes_that_are_renewed_at_once_are_those_of_the_last(ann: User) -> None:
    made = at_once([lambda: recovery_codes.renew(ann.pk)] * _TIMES)

    assert recovery_codes.left(ann.pk) == recovery_codes.COUNT
    good = [codes for codes in made if isinstance(codes, list) and recovery_codes.use(ann.pk, codes[0])]
    assert len(good) == 1


def test_passkeys_that_come_at_once_are_no_more_than_allowed(ann: User) -> None:
    for _ in range(passkeys.MOST - 1):
        register(ann, device())
    devices = [device() for _ in range(_TIMES)]

    results = at_once([lambda item=item: register(ann, item) for item in devices])  # type: ignore[misc] # a default

    assert Counter(map(type, results)) == {Passkey: 1, Refused: _TIMES - 1}
    assert Passkey.objects.filter(user=ann).count() == passkeys.MOST
