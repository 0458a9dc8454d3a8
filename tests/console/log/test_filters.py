"""Filters of the log: alone, together, and with nonsense."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from channels.types import FailureReason
from console.paginator import BoundedPaginator
from otp.models import Challenge
from projects.config import ProjectConfig
from tests import factories
from tests.console.log.support import LOG, add_challenge, add_message, count

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def rows(project: ProjectConfig) -> None:
    """Hong Kong: WhatsApp failed, SMS arrived. Britain: SMS failed."""
    one = add_challenge(project, at=NOON, verified_at=NOON)
    add_message(one, reason="not_on_channel", status=5)
    add_message(one, "sms", cause="fallback")
    two = add_challenge(project, phone=factories.OTHER_PHONE, at=NOON.replace(day=11), is_test=True)
    add_message(two, "sms", reason="unreachable", status=5)


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({}, 2),
        ({"country": "852"}, 1),
        ({"country": "44"}, 1),
        ({"country": "1"}, 0),
        ({"channel": "whatsapp"}, 1),
        ({"channel": "sms"}, 2),
        ({"reason": "not_on_channel"}, 1),
        ({"reason": "payment"}, 0),
        ({"reason": "unreachable", "channel": "sms"}, 1),
        ({"reason": "not_on_channel", "channel": "sms"}, 0),
        ({"country": "44", "reason": "unreachable"}, 1),
        ({"fallback": "yes"}, 1),
        ({"outcome": "verified"}, 1),
        ({"outcome": "given_up"}, 1),
        ({"outcome": "open"}, 0),
        ({"is_test__exact": "1"}, 1),
        ({"from": "2026-03-10", "to": "2026-03-10"}, 1),
        ({"from": "2026-03-11"}, 1),
        ({"to": "2026-03-09"}, 0),
        ({"to": "2026-03-11"}, 2),
        ({"from": "", "to": "", "country": "", "channel": "", "reason": ""}, 2),
        # What is made up is no filter.
        ({"country": "85"}, 2),
        ({"channel": "pigeon"}, 2),
        ({"reason": "' OR 1=1"}, 2),
    ],
)
@pytest.mark.usefixtures("rows")
def test_rows_are_filtered(query: dict[str, str], number: int, staff: Client) -> None:
    assert count(staff, **query) == number


def test_a_challenge_without_attempts_left_is_not_open(project: ProjectConfig, staff: Client) -> None:
    add_challenge(project, attempts=4)
    add_challenge(project, phone=factories.OTHER_PHONE, attempts=5)

    assert count(staff, outcome="open") == 1
    assert count(staff, outcome="given_up") == 1


@pytest.mark.usefixtures("rows")
def test_by_project(project: ProjectConfig, staff: Client) -> None:
    """K8."""
    other = factories.make_project(slug="other", name="Other", is_default=False)

    assert count(staff, project__id__exact=str(project.id)) == 2
    assert count(staff, project__id__exact=str(other.id)) == 0


@pytest.mark.usefixtures("rows")
def test_a_filter_and_a_search(staff: Client) -> None:
    assert count(staff, q=factories.PHONE, country="852") == 1
    assert count(staff, q=factories.PHONE, country="44") == 0


@pytest.mark.parametrize(
    "day", ["yesterday", "2026-02-30", "0001-01-01", "9999-12-31", "1e9", "2026-03-10T12:00"]
)
@pytest.mark.parametrize("name", ["from", "to"])
def test_a_day_that_is_none_is_said_to_be_wrong(name: str, day: str, staff: Client) -> None:
    answer = staff.get(LOG, {name: day})

    assert answer.status_code == 302
    assert answer["Location"].endswith("?e=1")


def test_every_reason_and_country_can_be_chosen(staff: Client, challenge: Challenge) -> None:
    page = staff.get(LOG).content.decode()

    for reason in FailureReason:
        assert f'<option value="{reason.value}"' in page
    assert "Hong Kong SAR China (+852)" in page
    assert "United States" in page


@pytest.mark.usefixtures("rows")
def test_the_form_shows_what_was_chosen(staff: Client) -> None:
    page = staff.get(LOG, {"country": "852", "from": "2026-03-10"}).content.decode()

    assert '<option value="852" selected>' in page
    assert 'value="2026-03-10"' in page


@pytest.mark.usefixtures("rows")
def test_other_orders_are_not_offered(staff: Client) -> None:
    """They would read every row."""
    answer = staff.get(LOG, {"o": "1"})

    keys = [row.id for row in answer.context["cl"].result_list]
    assert keys == sorted(keys, reverse=True)


def test_rows_are_counted_up_to_a_bound(
    project: ProjectConfig, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedPaginator, "most", 2)
    for _ in range(3):
        add_challenge(project)

    assert count(staff) == 2
