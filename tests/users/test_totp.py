"""Codes of authenticator apps without the pages: when a code is right, and that it is right once."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.users.members import lose_encryption_key, member, salt_of
from users import totp
from users.models import Totp, User

pytestmark = pytest.mark.django_db

# Of the appendix of RFC 6238.
SECRET = base64.b32encode(b"12345678901234567890").decode()
STEP = timedelta(seconds=30)
# The first second of a step.
NOW = datetime.fromtimestamp(1_234_567_890, tz=UTC)


@pytest.fixture
def ann() -> User:
    user = member()
    Totp.objects.create(user=user, secret=SECRET, is_confirmed=True)
    return user


def shown(moment: datetime, secret: str = SECRET) -> str:
    return pyotp.TOTP(secret).at(int(moment.timestamp()))


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str, ann: User) -> None:
    assert totp.verify(ann.pk, code, now=datetime.fromtimestamp(seconds, tz=UTC))


@pytest.mark.parametrize(
    ("seconds", "is_right"), [(-31, False), (-30, True), (0, True), (29, True), (59, True), (60, False)]
)
def test_a_code_is_right_for_ninety_seconds(seconds: int, is_right: bool, ann: User) -> None:
    assert totp.verify(ann.pk, shown(NOW), now=NOW + timedelta(seconds=seconds)) is is_right


def test_the_first_step_of_all_has_none_before_it(ann: User) -> None:
    epoch = datetime.fromtimestamp(0, tz=UTC)

    assert not totp.verify(ann.pk, "000000", now=epoch)
    assert totp.verify(ann.pk, shown(epoch), now=epoch)


@pytest.mark.parametrize(
    "text",
    [
        *("5924", "05924", "0005924", "+05924", " 05924", "05924 ", "05924\n", "05_924", "-05924"),
        *("\uff10\uff10\uff15\uff19\uff12\uff14", "00592\u0664", "00592\u00b2", "00592\0", ""),
    ],
)
def test_only_six_digits_are_a_code(text: str, ann: User) -> None:
    """Not the same number in another form."""
    assert not totp.verify(ann.pk, text, now=NOW)
    assert totp.verify(ann.pk, "005924", now=NOW)


@given(posts=st.lists(st.tuples(st.integers(0, 4), st.integers(-2, 2)), max_size=12))
def test_codes_are_right_once_and_in_their_order(posts: list[tuple[int, int]], ann: User) -> None:
    """Whatever is posted when: those of at most one step away that are later than all before."""
    codes = [shown(NOW + step * STEP) for step in range(-2, 7)]
    assert len(set(codes)) == len(codes)
    Totp.objects.filter(user=ann).update(last_step=-1)
    last = -3
    for step, drift in posts:
        is_right = abs(drift) <= 1 and step + drift > last
        code = shown(NOW + (step + drift) * STEP)

        assert totp.verify(ann.pk, code, now=NOW + step * STEP) is is_right
        last = step + drift if is_right else last


def test_a_code_is_right_for_its_owner_only(ann: User) -> None:
    bob = member("bob")
    Totp.objects.create(user=bob, secret=pyotp.random_base32(), is_confirmed=True)

    assert not totp.verify(bob.pk, shown(NOW), now=NOW)
    assert not totp.verify(member("eve").pk, shown(NOW), now=NOW)
    assert totp.verify(ann.pk, shown(NOW), now=NOW)


def test_a_secret_has_a_hundred_and_sixty_bits(ann: User) -> None:
    """As RFC 4226 recommends, and no two are the same."""
    secrets = {totp.begin(ann.pk) for _ in range(20)}

    assert len(secrets) == 20
    assert {len(base64.b32decode(secret)) for secret in secrets} == {20}


def test_a_secret_that_waits_opens_nothing(ann: User) -> None:
    secret = totp.begin(ann.pk)

    assert not totp.verify(ann.pk, shown(NOW, secret), now=NOW)
    assert totp.verify(ann.pk, shown(NOW), now=NOW)


def test_beginning_again_replaces_what_waited(ann: User) -> None:
    first, second = totp.begin(ann.pk), totp.begin(ann.pk)

    assert totp.waiting(ann.pk) == second
    assert not totp.confirm(ann.pk, shown(NOW, first), now=NOW)
    assert totp.confirm(ann.pk, shown(NOW, second), now=NOW)
    assert totp.waiting(ann.pk) == ""


def test_the_first_app_ends_no_session() -> None:
    ann = member()
    salt = salt_of(ann)
    secret = totp.begin(ann.pk)

    assert totp.confirm(ann.pk, shown(NOW, secret), now=NOW)
    assert salt_of(ann) == salt


def test_a_new_app_takes_the_place_of_the_old_one(ann: User) -> None:
    """And ends what may have been opened with that."""
    salt = salt_of(ann)
    secret = totp.begin(ann.pk)

    assert totp.confirm(ann.pk, shown(NOW, secret), now=NOW)

    later = NOW + STEP
    assert salt_of(ann) != salt
    assert not totp.verify(ann.pk, shown(later), now=later)
    assert totp.verify(ann.pk, shown(later, secret), now=later)


@pytest.mark.parametrize("drift", [-1, 0, 1])
def test_the_code_that_confirms_is_used_up(drift: int, ann: User) -> None:
    secret = totp.begin(ann.pk)
    used = NOW + drift * STEP

    assert totp.confirm(ann.pk, shown(used, secret), now=NOW)

    assert not totp.verify(ann.pk, shown(used, secret), now=NOW)
    assert totp.verify(ann.pk, shown(used + STEP, secret), now=NOW + STEP)


@pytest.mark.parametrize("posted", ["", "000000", "the old app's", "too old"])
def test_a_wrong_code_confirms_and_changes_nothing(posted: str, ann: User) -> None:
    salt, secret = salt_of(ann), totp.begin(ann.pk)
    code = {"the old app's": shown(NOW), "too old": shown(NOW - 2 * STEP, secret)}.get(posted, posted)

    assert not totp.confirm(ann.pk, code, now=NOW)

    assert (salt_of(ann), totp.waiting(ann.pk)) == (salt, secret)
    assert totp.verify(ann.pk, shown(NOW), now=NOW)


def test_where_nothing_waits_nothing_is_confirmed(ann: User) -> None:
    """The code of the app itself does not set it up again."""
    salt = salt_of(ann)

    assert not totp.confirm(ann.pk, shown(NOW), now=NOW)
    assert salt_of(ann) == salt


def test_without_its_key_a_secret_is_none_and_no_error(ann: User) -> None:
    secret = totp.begin(ann.pk)
    lose_encryption_key()

    assert totp.waiting(ann.pk) == ""
    assert not totp.verify(ann.pk, shown(NOW), now=NOW)
    assert not totp.confirm(ann.pk, shown(NOW, secret), now=NOW)


@given(name=st.text(min_size=1), issuer=st.text(min_size=1))
def test_the_address_says_name_issuer_and_secret(name: str, issuer: str) -> None:
    parts = urlsplit(totp.address(SECRET, name=name, issuer=issuer))

    assert (parts.scheme, parts.netloc, parts.fragment) == ("otpauth", "totp", "")
    assert unquote(parts.path) == f"/{issuer}:{name}"
    assert parse_qs(parts.query) == {"secret": [SECRET], "issuer": [issuer]}
