"""Numbers in the API: the same readings as on the page."""

import pytest

from otp.models import Challenge
from projects.config import ProjectConfig
from projects.models import LoginMethods
from tests.api.conftest import App, problem


@pytest.mark.parametrize("typed", ["+447012345678", "+881631451234", "+870773123456", "+878101234567890"])
def test_a_number_that_costs_a_fortune_is_none(app: App, typed: str) -> None:
    assert problem(app.start(typed), 400, "invalid_phone")["reason"] == "no_messages"
    assert not Challenge.objects.exists()


def test_a_network_that_the_project_names(app: App, project: ProjectConfig) -> None:
    LoginMethods.objects.filter(project_id=project.id).update(countries_allowed=["all", "+870"])
    LoginMethods.objects.get(project_id=project.id).save()

    assert app.start("+870 773 123 456").status_code == 201
    problem(app.start("+881 6 3145 1234"), 400, "invalid_phone")


@pytest.mark.parametrize(
    ("typed", "country", "expected"),
    [
        ("+220 701 2345", None, "+220877012345"),
        ("07 12 34 56", "GA", "+24177123456"),
        ("11 2345-6789", "AR", "+5491123456789"),
        ("8 067 123 45 67", "UA", "+380671234567"),
        ("+852\u200c51271003", None, "+85251271003"),
    ],
)
def test_spellings_are_read(app: App, typed: str, country: str | None, expected: str) -> None:
    app.started(typed, country=country)

    assert Challenge.objects.get().phone == expected
