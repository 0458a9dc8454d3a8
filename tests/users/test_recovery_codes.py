"""Recovery codes without the pages: how they look, how they may be typed, and that each works once."""

import re

import pytest
from django.db import IntegrityError, connection
from hypothesis import given
from hypothesis import strategies as st

from tests.users.members import member
from users import recovery_codes
from users.models import RecoveryCode, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return member()


def test_there_are_ten_and_no_two_are_the_same(ann: User) -> None:
    codes = recovery_codes.renew(ann.pk)

    assert len(set(codes)) == recovery_codes.left(ann.pk) == 10
    assert all(re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", code) for code in codes)


def test_each_works_once(ann: User) -> None:
    codes = recovery_codes.renew(ann.pk)

    for used, code in enumerate(codes, 1):
        assert recovery_codes.use(ann.pk, code)
        assert recovery_codes.left(ann.pk) == 10 - used
    assert not any(recovery_codes.use(ann.pk, code) for code in codes)


@st.composite
def typings(draw: st.DrawFn) -> list[tuple[bool, str]]:
    """For each character: whether it is a capital, and what is typed after it."""
    between = st.text("- \t\n\u00a0\u3000", max_size=2)
    return draw(st.lists(st.tuples(st.booleans(), between), min_size=16, max_size=16))


@given(before=st.sampled_from(["", " ", "-", "\n"]), typing=typings())
def test_capitals_spaces_and_hyphens_do_not_matter(
    before: str, typing: list[tuple[bool, str]], ann: User
) -> None:
    code = recovery_codes.renew(ann.pk)[0].replace("-", "")

    typed = before + "".join(
        (letter.upper() if is_capital else letter) + after
        for letter, (is_capital, after) in zip(code, typing, strict=True)
    )

    assert recovery_codes.use(ann.pk, typed)
    assert recovery_codes.left(ann.pk) == 9


@pytest.mark.parametrize(
    "change",
    [
        (r".$", ""),
        (r"$", "a"),
        (r"^", "a"),
        (r"^.", "1"),
        (r"-", "_"),
        (r"-", "\u2013"),
        (r"^(.*)-(.*)-(.*)-(.*)$", r"\2-\1-\3-\4"),
        (r"^.", "\0"),
        (r"^.", "\u0430"),
    ],
    ids=["short", "long", "before", "digit", "underscore", "dash", "order", "NUL", "Cyrillic"],
)
def test_nearly_right_is_wrong_and_uses_nothing_up(change: tuple[str, str], ann: User) -> None:
    code = recovery_codes.renew(ann.pk)[0]
    wrong = re.sub(*change, code)
    assert wrong != code

    assert not recovery_codes.use(ann.pk, wrong)
    assert recovery_codes.left(ann.pk) == 10
    assert recovery_codes.use(ann.pk, code)


@given(typed=st.one_of(st.text(), st.text(st.characters(categories=["Cs"]), min_size=16, max_size=16)))
def test_any_other_text_is_wrong_and_no_error(typed: str, ann: User) -> None:
    """Half surrogates, too, which no database stores."""
    if not recovery_codes.left(ann.pk):
        recovery_codes.renew(ann.pk)

    assert not recovery_codes.use(ann.pk, typed)
    assert recovery_codes.left(ann.pk) == 10


def test_a_code_is_its_owners(ann: User) -> None:
    bob = member("bob")
    first, *_rest = recovery_codes.renew(ann.pk)
    recovery_codes.renew(bob.pk)

    assert not recovery_codes.use(bob.pk, first)
    assert (recovery_codes.left(ann.pk), recovery_codes.left(bob.pk)) == (10, 10)
    assert recovery_codes.use(ann.pk, first)
    assert (recovery_codes.left(ann.pk), recovery_codes.left(bob.pk)) == (9, 10)


def test_new_ones_end_the_earlier_ones_of_this_user(ann: User) -> None:
    bob = member("bob")
    earlier, of_bob = recovery_codes.renew(ann.pk), recovery_codes.renew(bob.pk)
    recovery_codes.use(ann.pk, earlier[0])

    current = recovery_codes.renew(ann.pk)

    assert recovery_codes.left(ann.pk) == 10
    assert not any(recovery_codes.use(ann.pk, code) for code in earlier)
    assert recovery_codes.use(ann.pk, current[0])
    assert recovery_codes.use(bob.pk, of_bob[0])


def test_the_earlier_ones_stay_where_new_ones_are_not_stored(
    monkeypatch: pytest.MonkeyPatch, ann: User
) -> None:
    """Nobody is left with ten codes that were never shown, or with none."""
    earlier = recovery_codes.renew(ann.pk)
    monkeypatch.setattr("users.recovery_codes.secrets.token_bytes", bytes)

    with pytest.raises(IntegrityError):
        recovery_codes.renew(ann.pk)

    assert all(recovery_codes.use(ann.pk, code) for code in earlier)


def test_the_database_has_nothing_that_can_be_typed(ann: User) -> None:
    codes = recovery_codes.renew(ann.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT code_hash FROM users_recoverycode")
        stored = [row[0] for row in cursor.fetchall()]

    assert len(set(stored)) == 10
    assert not any(recovery_codes.use(ann.pk, text[:length]) for text in stored for length in (16, 64))
    assert not any(code.replace("-", "") in text for code in codes for text in stored)


def test_codes_go_with_the_account(ann: User) -> None:
    bob = member("bob")
    recovery_codes.renew(ann.pk)
    recovery_codes.renew(bob.pk)

    ann.delete()

    assert set(RecoveryCode.objects.values_list("user", flat=True)) == {bob.pk}
