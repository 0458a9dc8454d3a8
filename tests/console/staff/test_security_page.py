"""One's own security page: what changes a factor needs a fresh proof and ends other sessions."""

from datetime import timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from tests.console.staff.authenticator import Authenticator
from tests.console.staff.support import (
    CONFIRM,
    PASSWORD,
    SECURITY,
    add_passkey,
    browser,
    code,
    is_in,
    new_recovery_codes,
    password,
    prove,
    shown_codes,
    sign_in,
    use_passkey,
    waiting_secret,
    with_app,
)
from tests.statements import statements
from users.models import Passkey, RecoveryCode, Totp, User

CHANGES = ("app/", "add/", "passkey/", "remove/", "codes/")


@pytest.mark.parametrize("page", CHANGES)
def test_changes_need_a_fresh_proof(page: str, root: User) -> None:
    """Ten minutes after the sign-in it is asked again."""
    client = browser()
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        sign_in(client, root)
        codes = set(RecoveryCode.objects.values_list("code_hash"))
        clock.shift(timedelta(minutes=11))
        answer = client.post(SECURITY + page, {"code": code(root)})

        assert (answer.status_code, answer["Location"]) == (302, CONFIRM)
        assert Totp.objects.count() == 1
        assert set(RecoveryCode.objects.values_list("code_hash")) == codes
        assert "first confirm" in client.get(SECURITY).content.decode()


@pytest.mark.parametrize("page", CHANGES)
def test_links_change_nothing(page: str, root: User) -> None:
    client = browser()
    sign_in(client, root)

    assert client.get(SECURITY + page).status_code == 405


def test_a_fresh_proof_opens_them_again(root: User) -> None:
    client = browser()
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        sign_in(client, root)
        clock.shift(timedelta(minutes=11))
        assert client.get(CONFIRM).status_code == 200

        answer = prove(client, code(root), CONFIRM)

        assert (answer.status_code, answer["Location"]) == (302, SECURITY)
        assert client.post(f"{SECURITY}codes/").status_code == 200


def test_without_a_factor_the_password_is_asked(bare: User) -> None:
    client = browser()
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        password(client)
        clock.shift(timedelta(minutes=11))

        assert client.post(CONFIRM, {"password": "wrong"}).status_code == 200
        assert client.post(f"{SECURITY}app/")["Location"] == CONFIRM
        assert client.post(CONFIRM, {"password": PASSWORD})["Location"] == SECURITY
        assert client.post(f"{SECURITY}app/")["Location"] == SECURITY


def test_a_passkey_confirms_too(root: User) -> None:
    client, device = browser(), Authenticator()
    sign_in(client, root)
    add_passkey(client, device)
    device.count += 1

    assert use_passkey(client, device, CONFIRM)["Location"] == SECURITY


@pytest.mark.parametrize(
    "next_url", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_a_confirmation_leads_nowhere_else(next_url: str, root: User) -> None:
    client = browser()
    sign_in(client, root)
    Totp.objects.update(last_step=-1)

    answer = client.post(CONFIRM, {"code": code(root), "next": next_url})

    assert answer["Location"] == SECURITY


def test_removing_a_passkey_ends_other_sessions(root: User) -> None:
    """One of them may be the thief's who took the key."""
    device, client, thief = Authenticator(), browser(), browser()
    sign_in(client, root)
    add_passkey(client, device)
    password(thief)
    device.count += 1
    use_passkey(thief, device)
    assert is_in(thief)

    client.post(f"{SECURITY}remove/", {"passkey": str(Passkey.objects.get().pk)})

    assert not Passkey.objects.exists()
    assert is_in(client)
    assert not is_in(thief)


def _replace_app(client: Client, user: User) -> Any:
    """Set up a new app; the page that follows."""
    client.post(f"{SECURITY}app/")
    text = pyotp.TOTP(waiting_secret(user)).now()
    page = client.post(f"{SECURITY}add/", {"code": text}, follow=True)
    assert waiting_secret(user) == ""
    return page


def test_replacing_the_app_ends_other_sessions(root: User) -> None:
    """Who lost the telephone sets up another one, and the finder is out."""
    client, thief, colleague = browser(), browser(), browser()
    sign_in(client, root)
    sign_in(thief, root)
    sign_in(colleague, with_app("colleague"))
    new_recovery_codes(root)
    old = Totp.objects.get(user=root).secret

    page = _replace_app(client, root)

    assert Totp.objects.get(user=root).secret != old
    assert [is_in(one) for one in (client, thief, colleague)] == [True, False, True]
    assert "your other sessions have ended" in page.content.decode()
    assert client.post(f"{SECURITY}codes/").status_code == 200  # still with a fresh proof


def test_replacing_it_without_recovery_codes_ends_them_too(root: User) -> None:
    """The page then shows codes and no message."""
    client, thief = browser(), browser()
    sign_in(client, root)
    sign_in(thief, root)

    assert len(shown_codes(_replace_app(client, root))) == 10
    assert [is_in(one) for one in (client, thief)] == [True, False]


def test_another_passkey_ends_no_session(root: User) -> None:
    client, other = browser(), browser()
    sign_in(client, root)
    sign_in(other, root)

    add_passkey(client, Authenticator())

    assert Passkey.objects.exists()
    assert [is_in(one) for one in (client, other)] == [True, True]


def test_a_first_app_replaces_nothing(bare: User) -> None:
    client = browser()
    password(client)
    salt = bare.session_salt

    page = _replace_app(client, bare)

    bare.refresh_from_db()
    assert bare.session_salt == salt
    assert "have ended" not in page.content.decode()


def test_a_wrong_code_of_a_new_app_ends_no_session(root: User) -> None:
    client, other = browser(), browser()
    sign_in(client, root)
    sign_in(other, root)
    client.post(f"{SECURITY}app/")

    client.post(f"{SECURITY}add/", {"code": "12345"})

    assert [is_in(one) for one in (client, other)] == [True, True]


@pytest.mark.usefixtures("required")
def test_the_last_factor_stays_where_one_is_required(root: User) -> None:
    client = browser()
    sign_in(client, root)
    new_recovery_codes(root)

    client.post(f"{SECURITY}remove/")

    assert Totp.objects.filter(is_confirmed=True).exists()
    assert RecoveryCode.objects.count() == 10
    assert "only second factor" in client.get(SECURITY).content.decode()


def test_where_it_is_offered_the_last_factor_goes_with_its_codes(root: User) -> None:
    client = browser()
    sign_in(client, root)
    new_recovery_codes(root)

    client.post(f"{SECURITY}remove/")

    assert not Totp.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert is_in(client)
    assert password(browser())["Location"] == "/admin/"


@pytest.mark.parametrize("passkey", ["nonsense", "01a20b58-e227-7000-8000-000000000000", "\0"])
def test_removing_what_is_not_there_changes_nothing(passkey: str, root: User) -> None:
    client, other = browser(), browser()
    sign_in(client, root)
    sign_in(other, root)

    assert client.post(f"{SECURITY}remove/", {"passkey": passkey}).status_code == 302
    assert Totp.objects.filter(is_confirmed=True).exists()
    assert is_in(other)


def test_nobody_removes_anothers_passkey(root: User) -> None:
    client = browser()
    sign_in(client, root)
    add_passkey(client, Authenticator())
    colleague = User.objects.create_user("colleague", PASSWORD)
    other = browser()
    password(other, "colleague")

    other.post(f"{SECURITY}remove/", {"passkey": str(Passkey.objects.get().pk)})

    assert Passkey.objects.get().user == root
    assert not colleague.is_superuser


def test_the_page_shows_no_secret(root: User) -> None:
    """Of a confirmed app nothing, of a waiting one only while a proof is fresh."""
    client = browser()
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        sign_in(client, root)
        client.post(f"{SECURITY}app/")
        waiting = Totp.objects.get(is_confirmed=False).secret
        page = client.get(SECURITY).content.decode().replace(" ", "")
        assert waiting in page
        assert Totp.objects.get(is_confirmed=True).secret not in page

        clock.shift(timedelta(minutes=11))
        assert waiting not in client.get(SECURITY).content.decode().replace(" ", "")


def test_the_page_takes_few_statements(root: User) -> None:
    client = browser()
    sign_in(client, root)
    for number in range(10):
        add_passkey(client, Authenticator(credential_id=f"key {number}".encode()))

    with statements() as made:
        assert client.get(SECURITY).status_code == 200
    assert len(made) <= 15
