"""All factors of a member of staff together: what counts as one, what a removal ends, and starting again."""

import uuid
from collections.abc import Callable

import pyotp
import pytest
from pytest_django import DjangoAssertNumQueries

from tests.console.staff.authenticator import Authenticator
from tests.users.members import (
    ELSEWHERE,
    lose_encryption_key,
    member,
    register,
    salt_of,
)
from users import recovery_codes, second_factors, services, totp
from users.models import Passkey, RecoveryCode, Totp, User
from users.second_factors import LastFactor

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return member()


def add_app(user: User) -> str:
    """Its secret."""
    secret = pyotp.random_base32()
    Totp.objects.create(user=user, secret=secret, is_confirmed=True)
    return secret


def add_passkey(user: User) -> Passkey:
    return register(user, Authenticator(credential_id=user.pk.bytes))


def add(user: User, which: str) -> uuid.UUID | None:
    """An app or a passkey, as `remove` names it."""
    if which == "passkey":
        return add_passkey(user).pk
    add_app(user)
    return None


def state(user: User) -> tuple[object, ...]:
    """Everything that a refusal leaves as it is."""
    apps = sorted(Totp.objects.filter(user=user).values_list("pk", "is_confirmed"))
    keys = set(Passkey.objects.filter(user=user).values_list("pk", flat=True))
    codes = set(RecoveryCode.objects.filter(user=user).values_list("code_hash", flat=True))
    return apps, keys, codes, salt_of(user)


@pytest.mark.parametrize(
    ("set_up", "is_factor"),
    [
        (lambda _user: None, False),
        (lambda user: totp.begin(user.pk), False),
        (lambda user: recovery_codes.renew(user.pk), False),
        (add_app, True),
        (add_passkey, True),
        (lambda user: register(user, Authenticator(), ELSEWHERE), True),
    ],
    ids=["nothing", "app being set up", "recovery codes", "app", "passkey", "passkey elsewhere"],
)
def test_what_counts_as_a_factor(
    set_up: Callable[[User], object],
    is_factor: bool,
    ann: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    set_up(ann)
    bob = member("bob")

    with django_assert_num_queries(1):
        assert second_factors.exist(ann.pk) is is_factor
    assert not second_factors.exist(bob.pk)
    assert not second_factors.exist(uuid.uuid4())


@pytest.mark.parametrize("keep_one", [False, True])
@pytest.mark.parametrize("which", ["app", "passkey"])
def test_of_two_factors_one_is_removed(which: str, keep_one: bool, ann: User) -> None:
    """The other, one that is being set up, and the codes stay; sessions end."""
    ids = {name: add(ann, name) for name in ("app", "passkey")}
    recovery_codes.renew(ann.pk)
    secret, salt = totp.begin(ann.pk), salt_of(ann)

    assert second_factors.remove(ann.pk, passkey_id=ids[which], keep_one=keep_one)

    assert Totp.objects.filter(user=ann, is_confirmed=True).exists() is (which != "app")
    assert Passkey.objects.filter(user=ann).exists() is (which != "passkey")
    assert recovery_codes.left(ann.pk) == 10
    assert totp.waiting(ann.pk) == secret
    assert salt_of(ann) != salt


@pytest.mark.parametrize("which", ["app", "passkey"])
def test_the_last_factor_takes_the_codes_with_it(which: str, ann: User) -> None:
    """Otherwise they would come back to life with the next factor."""
    bob = member("bob")
    for user in (ann, bob):
        recovery_codes.renew(user.pk)
    passkey_id = add(ann, which)

    assert second_factors.remove(ann.pk, passkey_id=passkey_id, keep_one=False)

    assert not second_factors.exist(ann.pk)
    assert (recovery_codes.left(ann.pk), recovery_codes.left(bob.pk)) == (0, 10)


@pytest.mark.parametrize("which", ["app", "passkey"])
def test_the_last_factor_stays_where_one_is_required(which: str, ann: User) -> None:
    """An app that waits for its first code is not another one."""
    passkey_id = add(ann, which)
    totp.begin(ann.pk)
    recovery_codes.renew(ann.pk)
    before = state(ann)

    with pytest.raises(LastFactor):
        second_factors.remove(ann.pk, passkey_id=passkey_id, keep_one=True)

    assert state(ann) == before


@pytest.mark.parametrize("keep_one", [False, True])
def test_what_is_not_there_cannot_be_removed(keep_one: bool, ann: User) -> None:
    """Neither a colleague's nor an app that is being set up; sessions go on."""
    of_bob = add_passkey(member("bob"))
    totp.begin(ann.pk)
    recovery_codes.renew(ann.pk)
    before = state(ann)

    for passkey_id in (None, of_bob.pk, uuid.uuid4()):
        assert not second_factors.remove(ann.pk, passkey_id=passkey_id, keep_one=keep_one)

    assert state(ann) == before
    assert Passkey.objects.get() == of_bob


def test_a_removal_whose_sessions_do_not_end_is_none(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    add_app(ann)
    passkey = add_passkey(ann)
    before = state(ann)

    def fail(*, user_id: uuid.UUID) -> None:
        raise ConnectionError

    monkeypatch.setattr(services, "end_all_sessions", fail)
    acts: list[Callable[[], object]] = [
        lambda: second_factors.remove(ann.pk, passkey_id=passkey.pk, keep_one=False),
        lambda: second_factors.reset(ann.pk),
    ]
    for act in acts:
        with pytest.raises(ConnectionError):
            act()
        assert state(ann) == before


def test_a_reset_removes_everything_of_one_user(ann: User) -> None:
    bob = member("bob")
    for user in (ann, bob):
        add_app(user)
        add_passkey(user)
        totp.begin(user.pk)
        recovery_codes.renew(user.pk)
    before, salt = state(bob), salt_of(ann)

    assert second_factors.reset(ann.pk) == 13

    assert state(ann)[:3] == ([], set(), set())
    assert salt_of(ann) != salt
    assert state(bob) == before


def test_secrets_without_a_key_can_be_removed(ann: User) -> None:
    """The way out when the encryption key is lost."""
    add_app(ann)
    totp.begin(ann.pk)
    lose_encryption_key()

    assert second_factors.remove(ann.pk, passkey_id=None, keep_one=False)
    assert second_factors.reset(ann.pk) == 1
    assert totp.begin(ann.pk) == totp.waiting(ann.pk)
