"""The same post several times at the same moment."""

from datetime import timedelta

import pyotp
import pytest
from django.utils import timezone

from projects.models import Project
from tests.console.staff.authenticator import ORIGIN, Authenticator, encoded
from tests.console.staff.support import PASSWORD
from tests.threads import at_once
from users import invitations, passkeys, recovery_codes, second_factors, totp
from users.models import Invitation, Passkey, Totp, User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.stores]
_TIMES = 4


@pytest.fixture
def root() -> User:
    user = User.objects.create_superuser("root", PASSWORD)
    Totp.objects.create(user=user, secret=pyotp.random_base32(), is_confirmed=True)
    return user


def test_one_code_signs_in_once(root: User) -> None:
    now = timezone.now()
    text = pyotp.TOTP(Totp.objects.get().secret).at(int(now.timestamp()))

    results = at_once([lambda: totp.verify(root.pk, text, now=now)] * _TIMES)

    assert sorted(results, key=str) == [False] * (_TIMES - 1) + [True]


def test_one_recovery_code_signs_in_once(root: User) -> None:
    first, *_rest = recovery_codes.renew(root.pk)

    results = at_once([lambda: recovery_codes.use(root.pk, first)] * _TIMES)

    assert sorted(results, key=str) == [False] * (_TIMES - 1) + [True]


def test_one_set_up_is_confirmed_once(root: User) -> None:
    now = timezone.now()
    totp.begin(root.pk)
    text = pyotp.TOTP(totp.waiting(root.pk)).at(int(now.timestamp()))

    at_once([lambda: totp.confirm(root.pk, text, now=now)] * _TIMES)

    assert Totp.objects.filter(user=root, is_confirmed=True).count() == 1
    assert totp.waiting(root.pk) == ""


@pytest.mark.parametrize("count", [0, 1], ids=["synchronised", "counts"])
def test_one_answer_of_a_passkey_signs_in_once(count: int, root: User) -> None:
    """Also one whose counter stays at 0, in a session that was read before the first answer was judged."""
    place, device = passkeys.Place(rp_id="localhost", origin=ORIGIN), Authenticator(count=count)
    challenge = b"c" * 32
    made = {"challenge": encoded(challenge), "rp": {"id": "localhost"}, "rpId": "localhost"}
    passkeys.register(user_id=root.pk, name="x", place=place, challenge=challenge, answer=device.create(made))
    device.count = 2 * count
    answer, asked_at = device.get(made), timezone.now()

    def use() -> Passkey:
        return passkeys.verify(
            user_id=root.pk,
            place=place,
            challenge=challenge,
            asked_at=asked_at,
            answer=answer,
            now=timezone.now(),
        )

    results = at_once([use] * _TIMES)

    assert sum(isinstance(result, Passkey) for result in results) == 1
    assert sum(isinstance(result, passkeys.Refused) for result in results) == _TIMES - 1


def test_of_two_factors_one_stays_where_one_is_required(root: User) -> None:
    passkey = Passkey.objects.create(
        user=root, name="x", rp_id="localhost", credential_id="x", public_key=b"x"
    )

    results = at_once(
        [
            lambda: second_factors.remove(root.pk, passkey_id=passkey.pk, keep_one=True),
            lambda: second_factors.remove(root.pk, passkey_id=None, keep_one=True),
        ]
    )

    assert second_factors.exist(root.pk)
    assert sum(result is True for result in results) == 1


def test_one_invitation_makes_one_account(root: User) -> None:
    token = invitations.make_token()
    Invitation.objects.create(
        username="anna",
        project=Project.objects.get(),
        role="support",
        token_hash=invitations.token_hash(token),
        invited_by=root,
        expires_at=timezone.now() + timedelta(hours=1),
    )

    results = at_once(
        [lambda: invitations.accept(token, password="another long password", now=timezone.now())] * _TIMES
    )

    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, invitations.NotValid) for result in results) == _TIMES - 1
    assert User.objects.get(username="anna").memberships.count() == 1
