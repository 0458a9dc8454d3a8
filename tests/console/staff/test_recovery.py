"""Recovery codes, and starting again when everything is lost."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.console.staff.authenticator import Authenticator
from tests.console.staff.support import (
    SECURITY,
    add_passkey,
    browser,
    is_in,
    new_recovery_codes,
    password,
    prove,
    shown_codes,
    sign_in,
    with_app,
)
from users import recovery_codes
from users.models import Passkey, RecoveryCode, Totp, User


def test_a_recovery_code_signs_in_once(root: User) -> None:
    first, *_rest = new_recovery_codes(root)
    client, other = browser(), browser()
    password(client)
    password(other)

    assert prove(client, first)["Location"] == "/admin/"
    assert "9 are left" in client.get("/admin/").content.decode()
    assert prove(other, first).status_code == 200
    assert not is_in(other)


@pytest.mark.parametrize(
    "spell", [str.upper, lambda text: text.replace("-", ""), lambda text: f"  {text.replace('-', ' ')} "]
)
def test_however_it_is_typed(spell: object, root: User) -> None:
    first, *_rest = new_recovery_codes(root)
    client = browser()
    password(client)

    assert prove(client, spell(first)).status_code == 302  # type: ignore[operator] # one of the functions above


def test_codes_are_hashes_in_the_database(root: User) -> None:
    codes = new_recovery_codes(root)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM users_recoverycode")
        stored = str(cursor.fetchall())

    assert [code for code in codes if code in stored or code.replace("-", "") in stored] == []
    assert len({*codes}) == 10


def test_new_codes_end_the_earlier_ones(root: User) -> None:
    before = new_recovery_codes(root)
    client = browser()
    sign_in(client, root)

    codes = shown_codes(client.post(f"{SECURITY}codes/"))

    assert len(codes) == 10
    assert not any(recovery_codes.use(root.pk, code) for code in before)
    assert recovery_codes.use(root.pk, codes[0])


def test_codes_are_shown_once(root: User) -> None:
    client = browser()
    sign_in(client, root)
    codes = shown_codes(client.post(f"{SECURITY}codes/"))

    page = client.get(SECURITY).content.decode()
    assert "10 are left" in page
    assert [code for code in codes if code in page] == []
    assert client.get(f"{SECURITY}codes/").status_code == 405


def test_a_code_is_its_owners(root: User) -> None:
    first, *_rest = new_recovery_codes(root)
    with_app("colleague")
    client = browser()
    password(client, "colleague")

    assert prove(client, first).status_code == 200


def test_without_a_factor_there_are_no_codes(bare: User) -> None:
    client = browser()
    password(client)

    client.post(f"{SECURITY}codes/")
    assert not RecoveryCode.objects.exists()


# The operator ---------------------------------------------------------------------------------------


def test_the_operator_resets_everything(root: User, capsys: pytest.CaptureFixture[str]) -> None:
    """App, passkeys, codes and sessions; the next sign-in starts again."""
    client = browser()
    sign_in(client, root)
    add_passkey(client, Authenticator())
    new_recovery_codes(root)

    call_command("reset_second_factor", "root")

    assert not any(model.objects.exists() for model in (Totp, Passkey, RecoveryCode))
    assert not is_in(client)
    assert "root" in capsys.readouterr().out
    assert password(browser())["Location"] == "/admin/"


def test_a_reset_is_for_one_account(root: User) -> None:
    colleague = with_app("colleague")

    call_command("reset_second_factor", "colleague")

    assert Totp.objects.get().user == root
    assert not colleague.totps.exists()


@pytest.mark.parametrize("name", ["nobody", ""])
def test_a_reset_of_nobody_is_an_error(name: str, root: User) -> None:
    with pytest.raises(CommandError, match="no member of staff"):
        call_command("reset_second_factor", name)
    assert Totp.objects.count() == 1


# Another superuser ----------------------------------------------------------------------------------


def _reset(client: Client, *users: User) -> str:
    form = {"action": "reset_second_factor", "_selected_action": [str(user.pk) for user in users]}
    return client.post("/admin/users/user/", form, follow=True).content.decode()


def test_a_superuser_resets_a_colleague(root: User) -> None:
    """The history says so."""
    colleague, client, theirs = with_app("colleague"), browser(), browser()
    sign_in(client, root)
    sign_in(theirs, colleague)

    _reset(client, colleague)

    assert not colleague.totps.exists()
    assert not is_in(theirs)
    assert is_in(client)
    history = client.get(f"/admin/users/user/{colleague.pk}/history/").content.decode()
    assert "second factor reset" in history


def test_a_reset_needs_a_fresh_proof_and_spares_oneself(root: User) -> None:
    colleague, client = with_app("colleague"), browser()
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        sign_in(client, root)
        assert "other members of staff only" in _reset(client, root, colleague)
        clock.shift(timedelta(minutes=11))
        assert "First confirm" in _reset(client, colleague)

    assert Totp.objects.count() == 2


def test_nobody_else_resets(root: User) -> None:
    helper = with_app("helper", is_superuser=False)
    helper.user_permissions.add(*Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client = browser()
    sign_in(client, helper)

    assert 'value="reset_second_factor"' not in client.get("/admin/users/user/").content.decode()
    _reset(client, root)
    assert Totp.objects.count() == 2
