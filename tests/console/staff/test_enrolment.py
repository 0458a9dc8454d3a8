"""Setting up the first factor: required in production, offered elsewhere."""

import pyotp
import pytest

from tests.console.staff.authenticator import Authenticator
from tests.console.staff.support import (
    ELSEWHERE,
    ENROL,
    SECURITY,
    browser,
    is_in,
    password,
    prove,
    shown_codes,
    shown_secret,
    sign_in,
    waiting_secret,
)
from users import totp
from users.models import Passkey, Totp, User


def test_where_it_is_offered_the_password_signs_in(bare: User) -> None:
    """The demo's printed password works."""
    client = browser()

    assert password(client)["Location"] == "/admin/"
    assert is_in(client)


@pytest.mark.usefixtures("required")
def test_where_it_is_required_the_first_sign_in_sets_it_up(bare: User) -> None:
    client = browser()
    assert password(client)["Location"] == ENROL
    assert not is_in(client)
    page = client.get(ENROL).content.decode()
    secret = waiting_secret(bare)
    assert secret in page.replace(" ", "")
    assert "data:image/svg+xml" in page

    answer = prove(client, pyotp.TOTP(secret).now(), ENROL)

    assert answer.status_code == 200
    assert len(set(shown_codes(answer))) == 10
    assert answer["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert is_in(client)
    assert waiting_secret(bare) == ""
    assert Totp.objects.get().is_confirmed


@pytest.mark.usefixtures("required")
def test_the_code_of_the_set_up_does_not_sign_in_again(bare: User) -> None:
    client, other = browser(), browser()
    password(client)
    text = pyotp.TOTP(shown_secret(client)).now()
    prove(client, text, ENROL)
    password(other)

    assert prove(other, text).status_code == 200
    assert not is_in(other)


@pytest.mark.usefixtures("required")
def test_who_knows_the_password_does_not_see_the_owners_secret(bare: User) -> None:
    """Else they had the owner's codes for ever. Each half sign-in has a secret of its own; the newest one counts."""
    owner, thief = browser(), browser(ELSEWHERE)
    password(owner)
    seen = shown_secret(owner)
    assert shown_secret(owner) == seen  # reloading the page does not spoil what the app has

    password(thief)
    page = thief.get(ENROL)

    assert page.context["secret"] not in ("", seen)
    assert seen not in page.content.decode().replace(" ", "")
    assert shown_secret(owner) not in (seen, page.context["secret"])
    assert shown_codes(prove(thief, pyotp.TOTP(waiting_secret(bare)).now(), ENROL)) == []
    assert not Totp.objects.filter(is_confirmed=True).exists()


@pytest.mark.usefixtures("required")
def test_a_code_of_a_secret_that_was_never_shown_sets_nothing_up(bare: User) -> None:
    client = browser()
    password(client)
    totp.begin(bare.pk)

    answer = prove(client, pyotp.TOTP(waiting_secret(bare)).now(), ENROL)

    assert shown_codes(answer) == []
    assert not is_in(client)


def test_the_security_page_shows_only_what_its_session_began(bare: User) -> None:
    client, other = browser(), browser(ELSEWHERE)
    password(client)
    password(other)
    client.post(f"{SECURITY}app/")

    assert shown_secret(client, SECURITY) == waiting_secret(bare)
    assert shown_secret(other, SECURITY) == ""
    other.post(f"{SECURITY}add/", {"code": pyotp.TOTP(waiting_secret(bare)).now()})
    assert not Totp.objects.filter(is_confirmed=True).exists()
    assert waiting_secret(bare) not in str(dict(client.session))


@pytest.mark.usefixtures("required")
def test_a_wrong_code_sets_nothing_up(bare: User) -> None:
    client = browser()
    password(client)

    for text in ("", "000000", "abc", "0" * 50):
        answer = prove(client, text, ENROL)
        assert answer.status_code == 200
        assert shown_codes(answer) == []
    assert not Totp.objects.filter(is_confirmed=True).exists()
    assert not is_in(client)


@pytest.mark.usefixtures("required")
def test_a_passkey_can_be_the_first_factor(bare: User) -> None:
    client, device = browser(), Authenticator()
    password(client)
    options = client.post(f"{ENROL}passkey/").json()

    answer = client.post(ENROL, {"name": "Key ring", "credential": device.create(options)})

    assert len(shown_codes(answer)) == 10
    assert Passkey.objects.get().name == "Key ring"
    assert is_in(client)


@pytest.mark.usefixtures("required")
def test_who_has_a_factor_cannot_set_up_another_by_the_password(root: User) -> None:
    """That would go round the one there is."""
    client = browser()
    password(client)

    assert client.get(ENROL)["Location"] == "/admin/login/second-factor/"
    assert prove(client, "123456", ENROL)["Location"] == "/admin/login/second-factor/"
    assert client.post(f"{ENROL}passkey/").status_code == 409
    assert not is_in(client)


@pytest.mark.usefixtures("required")
def test_sessions_without_a_factor_are_worth_nothing_where_it_is_required(bare: User) -> None:
    """Those of before the setting, and of any other way to open one."""
    client = browser()
    client.force_login(bare)

    for page in ("/admin/", "/admin/users/user/", SECURITY, "/admin/password_change/"):
        assert client.get(page)["Location"].startswith("/admin/login/"), page


def test_other_sessions_need_the_factor_from_when_there_is_one(bare: User) -> None:
    """Somebody who has the password and was in before is out."""
    thief, client = browser(), browser()
    password(thief)
    assert is_in(thief)
    password(client)
    client.post(f"{SECURITY}app/")
    answer = client.post(f"{SECURITY}add/", {"code": pyotp.TOTP(waiting_secret(bare)).now()})

    assert len(shown_codes(answer)) == 10
    assert is_in(client)
    assert not is_in(thief)


def test_a_second_app_replaces_the_first_only_when_its_code_was_typed(root: User) -> None:
    client = browser()
    sign_in(client, root)
    before = Totp.objects.get(is_confirmed=True).secret
    client.post(f"{SECURITY}app/")
    client.post(f"{SECURITY}add/", {"code": "000000"})
    assert Totp.objects.get(is_confirmed=True).secret == before
    new = waiting_secret(root)

    client.post(f"{SECURITY}add/", {"code": pyotp.TOTP(new).now()})

    assert Totp.objects.get(is_confirmed=True).secret == new
    assert not Totp.objects.filter(is_confirmed=False).exists()


def test_the_login_page_leads_to_the_admin(bare: User) -> None:
    """Also when nobody said where to go, and never to another site."""
    assert password(browser(), next="https://evil.example/")["Location"] == "/admin/"
    assert password(browser())["Location"] == "/admin/"
