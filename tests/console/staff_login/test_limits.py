"""The login of staff: limits before the hash, and the same answer for every name."""

from collections import Counter
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from abuse import rules
from tests import factories
from tests.console.staff_login.support import ELSEWHERE, PASSWORD, addresses, log_in
from users import hashing
from users.models import User

# Limits ---------------------------------------------------------------------------------------------


def test_an_address_has_so_many_tries(root: User) -> None:
    """60 wrong passwords; the right one after them is refused as well, and from elsewhere it is taken."""
    browser = Client()
    answers = [log_in(browser, f"name{n}", "wrong") for n in range(60)]

    assert Counter(answer.status_code for answer in answers) == {200: 20, 429: 40}
    assert int(answers[-1]["Retry-After"]) > 0
    assert log_in(Client()).status_code == 429
    assert log_in(Client(), address=ELSEWHERE).status_code == 302


def test_a_name_has_so_many_tries_from_all_addresses(root: User) -> None:
    """Also when it is spelled in another case."""
    answers = [
        log_in(Client(), "root" if n % 2 else "ROOT", "wrong", address=address)
        for n, address in enumerate(addresses(15))
    ]

    assert Counter(answer.status_code for answer in answers) == {200: 10, 429: 5}
    assert log_in(Client(), "other", "wrong", address=ELSEWHERE).status_code == 200


@pytest.mark.parametrize(
    "spellings",
    [
        ["ｒoot", "rｏot", "roｏt", "rooｔ", "ｒｏｏｔ", "ʳoot", "rºot", "ROOＴ"],  # what is tested
        [" " * count + "root" for count in (1, 150, 196, 197, 198, 199, 200, 300)],
        ["root" + space for space in " \t\n\u00a0\u2003\u3000\x1f"],
    ],
    ids=["letters", "spaces before", "spaces after"],
)
def test_another_spelling_that_the_form_takes_for_the_name_has_no_counter_of_its_own(
    spellings: list[str], root: User
) -> None:
    """Nor does it leave the owner more tries, who types the name as it is."""
    for number, address in enumerate(addresses(10)):
        typed = spellings[number % len(spellings)]
        assert log_in(Client(), typed, "wrong", address=address).status_code == 200

    answers = [log_in(Client(), typed, address=ELSEWHERE) for typed in (*spellings, "root")]

    assert {answer.status_code for answer in answers} == {429}


def test_a_spelling_that_the_form_takes_for_the_name_signs_in(root: User) -> None:
    """So they are the same name: the test above would hold for any other name as well."""
    for typed in ("ｒoot", "rºot", " " * 300 + "root", "root\u3000"):  # what is tested
        assert log_in(Client(), typed).status_code == 302, typed


@pytest.mark.parametrize("typed", ["", "x" * 5000, "e" + "\u0301" * 100_000, "nul\x00"])
def test_a_name_that_is_none_is_refused_as_any_other(typed: str, root: User) -> None:
    assert log_in(Client(), typed, "wrong").status_code == 200


def test_unknown_browsers_never_lock_a_known_browser_out(root: User) -> None:
    """The owner's own browser has counters of its own, at the same address too."""
    owner = Client()
    assert log_in(owner).status_code == 302
    owner.post("/admin/logout/")

    for number in range(30):
        log_in(Client(), "root", f"wrong{number}")
    assert log_in(Client()).status_code == 429
    assert log_in(owner).status_code == 302


def test_a_known_browser_has_an_end_as_well(root: User) -> None:
    """A stolen one cannot guess for ever."""
    owner = Client()
    log_in(owner)
    owner.post("/admin/logout/")

    statuses = [log_in(owner, "root", f"wrong{number}").status_code for number in range(12)]

    assert statuses == [200] * 10 + [429] * 2


@pytest.mark.parametrize("cookie", ["forged", "", "x" * 4000, "é"])
def test_a_forged_cookie_does_not_make_a_browser_known(cookie: str, root: User) -> None:
    from console.staff.browsers import cookie_name

    for number in range(10):
        log_in(Client(), "root", "wrong", address=addresses(20)[number])
    browser = Client()
    browser.cookies[cookie_name()] = cookie

    assert log_in(browser, address=ELSEWHERE).status_code == 429


def test_a_browser_is_known_for_its_own_name_only(root: User) -> None:
    """A colleague's cookie is no way round root's counters."""
    User.objects.create_user("colleague", PASSWORD)
    colleague = Client()
    log_in(colleague, "colleague", address=ELSEWHERE)
    colleague.post("/admin/logout/")
    for number in range(10):
        log_in(Client(), "root", "wrong", address=addresses(20)[number])

    assert log_in(colleague, "root", address=ELSEWHERE).status_code == 429


def test_the_limit_comes_before_the_hash(
    root: User, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """What is refused costs nothing."""
    settings.AUTHSVC_LIMITS = {"staff.address": "1/1h"}
    settings.PASSWORD_HASHERS = ["users.hashing.BoundedHasher"]
    made: list[str] = []
    real = hashing.BoundedHasher.encode

    def counting(self: hashing.BoundedHasher, password: str, salt: str, iterations: int | None = None) -> str:
        made.append(password)
        return real(self, password, salt, 1)

    monkeypatch.setattr(hashing.BoundedHasher, "encode", counting)
    log_in(Client(), "nobody", "first")
    refused = [log_in(Client(), name, "later") for name in ("root", "nobody")]

    assert made == ["first"]
    assert [answer.status_code for answer in refused] == [429, 429]


def test_without_the_limiters_store_no_password_is_checked(
    root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from abuse import limiter
    from abuse.errors import Unavailable

    def away(*_args: object, **_kwargs: object) -> None:
        raise Unavailable

    monkeypatch.setattr(limiter, "charge", away)

    answer = log_in(Client())
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")


def test_limits_are_in_the_table() -> None:
    assert {"staff.address", "staff.name", "staff.browser"} <= set(rules.DEFAULT_RULES)


# The same answer ------------------------------------------------------------------------------------


def test_no_answer_tells_which_names_exist(root: User) -> None:
    """Unknown, wrong, switched off, a person: one page; and refused: one page."""
    User.objects.create_user("gone", PASSWORD, is_active=False)
    pages = set()
    for name, password in (
        ("root", "wrong"),
        ("nobody", "wrong"),
        ("gone", PASSWORD),
        (factories.PHONE, "wrong"),
    ):
        answer = log_in(Client(), name, password)
        assert answer.status_code == 200
        pages.add(_text(answer, name))
    assert len(pages) == 1

    for number in range(40):
        log_in(Client(), "nobody", "wrong", address=addresses(40)[number])
        log_in(Client(), "root", "wrong", address=addresses(40)[number])
    refused = {_text(log_in(Client(), name, address=ELSEWHERE), name) for name in ("root", "nobody")}
    assert len(refused) == 1
    assert "Please wait" in refused.pop()


def _text(answer: Any, name: str) -> str:
    """The page's errors, without what was typed."""
    errors = answer.context["form"].errors
    return str(errors).replace(name, "")


@pytest.mark.parametrize("name", ["nobody", "root", "gone"])
def test_every_name_costs_one_hash(
    name: str, root: User, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """The time tells nothing either."""
    User.objects.create_user("gone", PASSWORD, is_active=False)
    settings.PASSWORD_HASHERS = ["users.hashing.BoundedHasher"]
    monkeypatch.setattr(hashing.BoundedHasher, "iterations", 1)
    for user in User.objects.all():
        user.set_password(PASSWORD)
        user.save()
    made: list[str] = []
    real = hashing.BoundedHasher.encode

    def counting(self: hashing.BoundedHasher, password: str, salt: str, iterations: int | None = None) -> str:
        made.append(password)
        return real(self, password, salt, iterations)

    monkeypatch.setattr(hashing.BoundedHasher, "encode", counting)
    log_in(Client(), name, "wrong")

    assert made == ["wrong"]
