"""Numbers at the login page, as people type them: one person is one user, and what costs a fortune gets nothing."""

from datetime import date

import pytest

from otp.models import Challenge, Delivery
from projects.config import ProjectConfig
from projects.models import LoginMethods, TestNumber
from tests.clock import later
from tests.login.conftest import Browser, text_of
from users.models import User

COSTLY = ["+44 70 1234 5678", "+881 6 3145 1234", "+870 773 123 456", "+878 10 1234567890", "+882 16 1234567"]


def allow(project: ProjectConfig, *countries: str) -> None:
    methods = LoginMethods.objects.get(project_id=project.id)
    methods.countries_allowed = list(countries)
    methods.full_clean()
    methods.save()


@pytest.mark.parametrize(
    "spellings",
    [
        ("+220 701 2345", "+220 87 701 2345"),
        ("+241 07 12 34 56", "+241 7 12 34 56", "+241 77 12 34 56"),
        ("+52 1 55 1234 5678", "+52 55 1234 5678", "+52 044 55 1234 5678"),
        ("+54 11 2345-6789", "+54 9 11 2345-6789", "+54 11 15 2345-6789"),
        ("+55 21 9612-3456", "+55 21 99612-3456", "+55 021 99612-3456"),
        ("+229 97 12 34 56", "+229 01 97 12 34 56"),
    ],
)
def test_one_line_is_one_user_whichever_spelling_is_typed(
    project: ProjectConfig, spellings: tuple[str, ...]
) -> None:
    for count, spelling in enumerate(spellings):
        with later(60 * count):
            assert Browser().sign_in(spelling).status_code == 302

    assert User.objects.count() == 1


@pytest.mark.parametrize("typed", COSTLY)
def test_a_number_that_costs_a_fortune_gets_no_message(browser: Browser, typed: str) -> None:
    """Also where all countries are allowed."""
    response = browser.ask(typed)

    assert response.status_code == 400
    assert "This number cannot receive messages." in text_of(response)
    assert not Challenge.objects.exists()


@pytest.mark.parametrize("countries", [["all", "+881"], ["HK", "+881"], ["+881"]])
def test_a_network_of_no_country_is_named_by_its_calling_code(
    browser: Browser, project: ProjectConfig, countries: list[str]
) -> None:
    """That one and no other."""
    allow(project, *countries)

    assert browser.ask("+881 6 3145 1234").status_code == 302
    assert Delivery.objects.count() == 1
    assert browser.ask("+870 773 123 456").status_code == 400
    assert browser.ask("+852 5123 4567").status_code == (403 if countries == ["+881"] else 302)


def test_a_test_number_may_be_of_any_kind(browser: Browser, project: ProjectConfig) -> None:
    """It never reaches a provider. Its code has a length of its own."""
    TestNumber.objects.create(
        project_id=project.id, phone="+15005550199", code="42424242", until=date(2999, 1, 1)
    )

    assert browser.ask("+1 500 555 0199").status_code == 302
    assert Delivery.objects.get().sender_id is None
    assert "The code has 8 digits." in text_of(browser.enter("424242"))
    assert browser.enter("4242 4242").status_code == 302
    assert browser.ask("+1 500 555 0198").status_code == 400


@pytest.mark.parametrize("sign", ["\u200c", "\u2060", "\ufe0f", "\u3164", "\u2028", "～", "["], ids=ascii)
def test_a_number_is_read_through_what_cannot_be_seen(browser: Browser, sign: str) -> None:
    assert browser.ask(f"+852{sign}5127{sign}1003").status_code == 302
    assert Challenge.objects.get().phone == "+85251271003"


@pytest.mark.parametrize("filler", [" ", "\u200b", "\x07", "-"], ids=ascii)
def test_what_is_too_long_is_refused_and_never_cut(browser: Browser, filler: str) -> None:
    """Without its last digit this would be another person's number."""
    response = browser.ask("+49 151 2345678" + filler * 60 + "9")

    assert response.status_code == 400
    assert not Challenge.objects.exists()
