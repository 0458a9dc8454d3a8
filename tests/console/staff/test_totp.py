"""Signing in with the codes of an authenticator app."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from login.models import Session
from tests.console.staff.support import SECOND, browser, code, is_in, password, prove, wrong
from users import totp
from users.models import Totp, User


def test_password_and_code_sign_in(root: User) -> None:
    """And lead to the page that was asked for."""
    client = browser()
    answer = password(client, next="/admin/users/user/")
    assert (answer.status_code, answer["Location"]) == (302, SECOND)
    assert not is_in(client)

    answer = prove(client, code(root))

    assert (answer.status_code, answer["Location"]) == (302, "/admin/users/user/")
    assert is_in(client)


def test_nobody_is_signed_in_between_password_and_code(root: User) -> None:
    """The session has no owner, and no page but the next step knows the person."""
    client = browser()
    password(client)

    assert client.session.get("_auth_user_id") is None
    assert not Session.objects.filter(user=root).exists()
    for page in ("/admin/", "/admin/users/user/", "/admin/security/", "/admin/sessions/", "/account/"):
        assert client.get(page).status_code in (302, 303), page
    root.refresh_from_db()
    assert root.last_login is None


def test_a_wrong_code_signs_nobody_in(root: User) -> None:
    client = browser()
    password(client)

    for text in (wrong(root), "", "12345", "1234567", "abcdef", "１２３４５６"):
        answer = prove(client, text)
        assert answer.status_code == 200, text
        assert "That was not right" in answer.content.decode()
    assert not is_in(client)


def test_a_code_is_read_as_the_app_shows_it(root: User) -> None:
    client, shown = browser(), code(root)
    password(client)

    assert prove(client, f" {shown[:3]} {shown[3:]} ").status_code == 302

    assert is_in(client)


def test_a_code_works_once(root: User) -> None:
    """Whoever looked over the shoulder has the password, too."""
    text = code(root)
    first, second = browser(), browser()
    password(first)
    password(second)

    assert prove(first, text).status_code == 302
    assert prove(second, text).status_code == 200
    assert not is_in(second)


def test_an_older_code_is_refused_after_a_newer_one(root: User) -> None:
    now = timezone.now()
    older, newer = code(root, at=now, steps=-1), code(root, at=now)

    assert totp.verify(root.pk, newer, now=now)
    assert not totp.verify(root.pk, older, now=now)
    assert not totp.verify(root.pk, newer, now=now)


@pytest.mark.parametrize(("steps", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_differ_by_one_step(steps: int, is_right: bool, root: User) -> None:
    now = timezone.now()

    assert totp.verify(root.pk, code(root, at=now, steps=steps), now=now) is is_right


def test_the_password_is_remembered_for_ten_minutes(root: User) -> None:
    client = browser()
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        password(client)
        clock.shift(timedelta(minutes=9))
        assert client.get(SECOND).status_code == 200
        clock.shift(timedelta(minutes=2))
        answer = prove(client, code(root))

    assert (answer.status_code, answer["Location"]) == (302, "/admin/login/")
    assert not is_in(client)


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"password": "!"}, {"session_salt": "another"}, {"is_staff": True}]
)
def test_a_change_of_the_account_ends_the_half_sign_in(change: dict[str, object], root: User) -> None:
    """Blocked, or a new password, or signed out everywhere; an unchanged one goes on."""
    client = browser()
    password(client)
    User.objects.filter(pk=root.pk).update(**change)

    is_left = change == {"is_staff": True}
    assert (client.get(SECOND).status_code == 200) is is_left
    assert (prove(client, code(root))["Location"] == "/admin/") is is_left


def test_the_second_step_alone_knows_nobody(root: User) -> None:
    client = browser()

    for page in (SECOND, "/admin/login/enrol/"):
        assert client.get(page)["Location"] == "/admin/login/"
        assert prove(client, code(root), page)["Location"] == "/admin/login/"


def test_the_secret_is_encrypted_in_the_database(root: User) -> None:
    """Whoever reads a dump shows no codes."""
    secret = Totp.objects.get().secret
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM users_totp")
        (stored,) = cursor.fetchone()

    assert secret not in stored
    assert stored.startswith("gAAAA")


def test_a_lost_encryption_key_is_no_error(root: User) -> None:
    """Recovery codes and passkeys still work."""
    Totp.objects.all()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE users_totp SET secret = 'gAAAA-unreadable'")
    client = browser()
    password(client)

    assert prove(client, "123456").status_code == 200


def test_a_whole_sign_in_makes_a_new_session(root: User) -> None:
    """A planted key opens nothing, neither before nor after."""
    client = browser()
    password(client)
    half = client.cookies["sessionid"].value

    prove(client, code(root))

    assert client.cookies["sessionid"].value != half
    thief = browser()
    thief.cookies["sessionid"] = half
    assert not is_in(thief)
