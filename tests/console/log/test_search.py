"""A challenge is found by whatever people have in their hands, exactly or not at all."""

import uuid

import pytest
from django.test import Client

from api import challenge_ids
from otp.models import Challenge, Delivery
from projects.config import ProjectConfig
from tests import factories
from tests.console.log.support import MESSAGE_ID, add_challenge, add_message, count


@pytest.mark.parametrize(
    "term",
    [
        factories.PHONE,
        "+852 5123 4567",
        "00852-5123-4567",
        "5123 4567",
        " (5123) 4567 ",
        "852 51234567",
        "\u202a+852 5123 4567\u202c",
        "tel:+852-5123-4567",
    ],
)
def test_a_number_in_any_spelling(term: str, challenge: Challenge, staff: Client) -> None:
    """A national one is read in the countries of the project."""
    assert count(staff, q=term) == 1


@pytest.mark.parametrize(
    "term",
    [
        factories.OTHER_PHONE,
        "07911 123456",
        "5123",
        "4567",
        "+852",
        "nonsense",
        "' OR 1=1 --",
        "%",
        "9" * 300,
    ],
)
def test_nothing_else(term: str, challenge: Challenge, staff: Client) -> None:
    """K4: no part of a number, or the search would read it digit by digit."""
    assert count(staff, q=term) == 0


def test_national_numbers_of_all_countries_of_projects(
    project: ProjectConfig, challenge: Challenge, staff: Client
) -> None:
    add_challenge(project, phone=factories.OTHER_PHONE)

    assert count(staff, q="07911 123456") == 1


def test_a_project_for_the_whole_world_has_its_pinned_countries(staff: Client) -> None:
    world = factories.make_project(
        slug="world", name="World", is_default=False, countries_allowed=["all"], countries_pinned=["US"]
    )
    add_challenge(world, phone="+12125550123")

    assert count(staff, q="(212) 555-0123") == 1


def test_our_ids(challenge: Challenge, staff: Client) -> None:
    delivery = Delivery.objects.first()
    assert delivery

    for key in (challenge.id, delivery.id, challenge.id.hex, str(challenge.id).upper()):
        assert count(staff, q=f" {key} ") == 1
    assert count(staff, q=str(uuid.uuid4())) == 0


def test_the_id_that_applications_have(challenge: Challenge, project: ProjectConfig, staff: Client) -> None:
    client = factories.make_client(project)
    public = challenge_ids.write(challenge_id=challenge.id, phone_key="0" * 24, client=client)

    assert count(staff, q=public) == 1


def test_the_providers_id(challenge: Challenge, staff: Client) -> None:
    assert count(staff, q=MESSAGE_ID) == 1
    assert count(staff, q=MESSAGE_ID[:-1]) == 0


def test_a_providers_id_that_looks_like_a_number(project: ProjectConfig, staff: Client) -> None:
    row = add_challenge(project, phone=factories.OTHER_PHONE)
    add_message(row, "sms", provider_message_id="85251234567")

    answer = staff.get("/admin/otp/challenge/", {"q": "85251234567"})

    assert [item.id for item in answer.context["cl"].result_list] == [row.id]
