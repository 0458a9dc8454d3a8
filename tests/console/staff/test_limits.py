"""Tries of second factors: limited, and never so that a stranger locks the owner out."""

from collections import Counter

import pytest
from pytest_django import Settings
from structlog.testing import capture_logs

from abuse import limiter, rules
from abuse.errors import Unavailable
from tests.console.staff.authenticator import Authenticator
from tests.console.staff.support import (
    CONFIRM,
    ELSEWHERE,
    SECOND,
    add_passkey,
    browser,
    code,
    is_in,
    new_recovery_codes,
    password,
    prove,
    sign_in,
    use_passkey,
    wrong,
)
from users.models import Totp, User


@pytest.fixture(autouse=True)
def _many_passwords(settings: Settings) -> None:
    """So that the second step alone refuses."""
    settings.AUTHSVC_LIMITS = {"staff.name": "1000/1h"}


def _guess(root: User, times: int) -> list[int]:
    """From many addresses, by somebody who knows the password."""
    statuses = []
    for number in range(times):
        client = browser(f"198.51.{number}.1")
        password(client)
        statuses.append(prove(client, wrong(root)).status_code)
    return statuses


def test_guesses_for_an_account_end(root: User) -> None:
    """Ten in ten minutes from wherever; then the right code is not judged either."""
    owner = browser()
    sign_in(owner, root)
    owner.post("/admin/logout/")
    Totp.objects.update(last_step=-1)

    assert Counter(_guess(root, 7)) == {200: 7}
    client = browser(ELSEWHERE)
    password(client)
    answers = [prove(client, wrong(root)) for _ in range(4)]
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 60
    assert "Please wait" in answers[-1].content.decode()
    assert prove(client, code(root)).status_code == 429
    assert not is_in(client)


def test_the_owners_browser_is_not_locked_out(root: User) -> None:
    """It has a counter of its own: it signed in before."""
    owner = browser()
    sign_in(owner, root)
    owner.post("/admin/logout/")
    Totp.objects.update(last_step=-1)
    _guess(root, 11)

    password(owner)

    assert prove(owner, code(root)).status_code == 302


def test_the_password_alone_makes_no_browser_known(root: User) -> None:
    """Its guesses would otherwise be counted for every new cookie anew."""
    client = browser()

    answer = password(client)

    assert "staff_browser" not in answer.cookies
    sign_in(client, root)
    assert "staff_browser" in client.cookies


def test_a_known_browser_has_an_end_as_well(root: User) -> None:
    client = browser()
    sign_in(client, root)
    client.post("/admin/logout/")
    password(client)

    assert [prove(client, wrong(root)).status_code for _ in range(11)] == [200] * 10 + [429]


def test_a_known_browser_has_an_end_of_the_day(root: User, settings: Settings) -> None:
    """Somebody who has browser and password would have a code of the app in some weeks."""
    settings.AUTHSVC_LIMITS = {
        **settings.AUTHSVC_LIMITS,
        "staff.browser": "1000/10m",
        "staff.browser.day": "3/1d",
    }
    client = browser()
    sign_in(client, root)
    client.post("/admin/logout/")
    password(client)

    answers = [prove(client, wrong(root)) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200] * 3 + [429]
    assert int(answers[-1]["Retry-After"]) > 3600
    assert prove(client, code(root)).status_code == 429
    assert not is_in(client)


def test_passkey_and_recovery_code_open_while_codes_are_refused(root: User) -> None:
    """They cannot be guessed, so nobody's guesses close them."""
    device, owner = Authenticator(), browser()
    sign_in(owner, root)
    add_passkey(owner, device)
    recovery, *_rest = new_recovery_codes(root)
    _guess(root, 11)

    first, second = browser(ELSEWHERE), browser(ELSEWHERE)
    password(first)
    password(second)
    device.count += 1
    assert prove(first, recovery).status_code == 302
    assert use_passkey(second, device).status_code == 302


def test_without_the_limiters_store_no_code_is_judged(root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object, **_kwargs: object) -> None:
        raise Unavailable

    client = browser()
    password(client)
    monkeypatch.setattr(limiter, "charge", away)

    answer = prove(client, code(root))
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert not is_in(client)


def test_the_proof_that_is_asked_again_is_limited_too(root: User) -> None:
    """An attacker at an unlocked browser."""
    client = browser()
    sign_in(client, root)

    statuses = [prove(client, wrong(root), CONFIRM).status_code for _ in range(12)]

    assert statuses[0] == 200
    assert statuses[-1] == 429


def test_limits_are_in_the_table() -> None:
    assert {"staff.factor", "staff.factor.day", "staff.browser.day"} <= set(rules.DEFAULT_RULES)


def test_every_try_is_in_the_log(root: User) -> None:
    """Who, from which block, with what result; no code."""
    client = browser()
    with capture_logs() as lines:
        password(client)
        bad, good = wrong(root), code(root)
        prove(client, bad)
        prove(client, good)
    tries = [line for line in lines if line["event"] == "staff.factor"]
    (login,) = [line for line in lines if line["event"] == "staff.login"]

    assert [line["result"] for line in tries] == ["refused", "totp"]
    assert {line["user_id"] for line in tries} == {str(root.pk)}
    assert {line["block"] for line in tries} == {"203.0.113.0/24"}
    assert (login["result"], login["factor"]) == ("signed in", "totp")
    for hidden in (bad, good, SECOND):
        assert hidden not in str([*tries, login])
