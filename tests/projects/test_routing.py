"""Routes: their form, their rules by table, and what is left of one that breaks a rule."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from projects import routing
from projects.config import projects
from projects.models import LoginMethods, Project
from projects.routing import Route
from tests import factories

INDIA: dict[str, Any] = {"countries": ["IN"], "order": ["whatsapp", "sms"], "wait_seconds": 12}
NORTH: dict[str, Any] = {"countries": ["US", "CA"], "order": ["sms", "whatsapp"]}
METHODS: dict[str, Any] = {
    "verify_phone_by": "whatsapp_or_sms",
    "countries_allowed": ["IN", "US", "CA", "HK"],
    "otp_valid_seconds": 60,
}


def problems(*routes: dict[str, Any], senders: dict[str, str] | None = None, **changes: Any) -> list[str]:
    values = METHODS | changes | {"routing": list(routes)}
    return [f"{number} {key} {text}" for number, key, text in routing.problems(values, senders=senders)]


# Form -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [[], [INDIA], [INDIA, NORTH], [INDIA | {"sender": "india"}], [INDIA | {"wait_seconds": 5}]]
)
def test_what_routes_look_like(value: list[Any]) -> None:
    routing.validate_routing(value)


@pytest.mark.parametrize(
    "value",
    [
        None, {}, "IN", [None], ["IN"], [{}], [{"countries": ["IN"]}], [{"order": ["sms"]}],
        [INDIA | {"colour": 1}], [INDIA | {"countries": "IN"}], [INDIA | {"countries": [1]}], [INDIA | {"order": [None]}],
        [INDIA | {"wait_seconds": "12"}], [INDIA | {"wait_seconds": True}], [INDIA | {"wait_seconds": None}],
        [INDIA | {"wait_seconds": 4}], [INDIA | {"wait_seconds": 301}], [INDIA | {"sender": None}], [INDIA] * 101,
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_list_of_routes(value: object) -> None:
    with pytest.raises(ValidationError):
        routing.validate_routing(value)


def test_what_is_not_said_is_not_stored() -> None:
    made = routing.stored(countries=("IN",), order=("sms",), wait_seconds=None, sender="")

    assert made == {"countries": ["IN"], "order": ["sms"]}
    assert routing.stored(**INDIA, sender="india") == INDIA | {"sender": "india"}


def test_a_route_in_a_line() -> None:
    assert routing.spelled(INDIA | {"sender": "india"}) == "IN: whatsapp then sms after 12 s by india"
    assert routing.spelled(NORTH) == "US CA: sms then whatsapp"


# Rules ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("routes", "changes"),
    [
        ([], {}),
        ([INDIA, NORTH], {}),
        ([INDIA, NORTH], {"countries_allowed": ["all"]}),
        ([{"countries": ["IN"], "order": ["sms"]}], {}),
        ([{"countries": ["IN"], "order": ["sms"]}], {"verify_phone_by": "sms_only"}),
        ([INDIA | {"wait_seconds": 59}], {}),
    ],
)
def test_routes_that_can_be_kept(routes: list[dict[str, Any]], changes: dict[str, Any]) -> None:
    assert problems(*routes, **changes) == []


@pytest.mark.parametrize(
    ("routes", "changes", "expected"),
    [
        ([INDIA | {"countries": []}], {}, "0 countries must name at least one country"),
        ([INDIA | {"countries": ["IN", "IN"]}], {}, "0 countries names a country twice: IN"),
        ([INDIA, NORTH | {"countries": ["US", "IN"]}], {}, "1 countries names a country twice: IN"),
        ([INDIA | {"countries": ["GB", "DE"]}], {}, "0 countries must be among the countries allowed: GB, DE"),
        ([INDIA | {"order": []}], {}, "0 order must be of whatsapp, sms, each once at most"),
        ([INDIA | {"order": ["sms", "sms"]}], {}, "0 order must be of whatsapp, sms, each once at most"),
        ([INDIA | {"order": ["pigeon"]}], {}, "0 order must be of whatsapp, sms, each once at most"),
        ([NORTH], {"verify_phone_by": "sms_only"}, "0 order must be of sms, each once at most"),
        ([NORTH], {"verify_phone_by": "whatsapp_only"}, "0 order must be of whatsapp, each once at most"),
        ([NORTH | {"wait_seconds": 20}], {}, "0 wait_seconds needs an order that begins with WhatsApp and goes on with SMS"),
        ([INDIA | {"wait_seconds": 60}], {}, "0 wait_seconds must be below the 60 seconds that a code is valid"),
    ],
)  # fmt: skip
def test_each_rule_names_the_route_and_its_key(
    routes: list[dict[str, Any]], changes: dict[str, Any], expected: str
) -> None:
    assert problems(*routes, **changes) == [expected]


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("india", []),
        ("sms-2", []),
        ("gone", ["0 sender no active sender of this project, and no shared one, is named gone"]),
    ],
)
def test_a_sender_is_one_that_serves_the_project(sender: str, expected: list[str]) -> None:
    known = {"india": "whatsapp", "sms-2": "sms"}

    assert problems(INDIA | {"sender": sender}, senders=known) == expected
    assert problems(INDIA | {"sender": sender}) == []  # they are not known there


def test_a_sender_sends_on_a_channel_of_the_order() -> None:
    route = {"countries": ["IN"], "order": ["sms"], "sender": "india"}

    assert problems(route, senders={"india": "whatsapp"}) == [
        "0 sender india sends whatsapp, which is not in the order"
    ]


def test_people_count_routes_from_one() -> None:
    values = METHODS | {"routing": [INDIA, NORTH | {"wait_seconds": 20}]}

    assert list(routing.sentences(values)) == [
        "Route 2, wait: needs an order that begins with WhatsApp and goes on with SMS."
    ]


# Memory -----------------------------------------------------------------------------------------------


def read(*routes: dict[str, Any], **changes: Any) -> dict[str, Route]:
    values: dict[str, Any] = {
        "verify_phone_by": "whatsapp_or_sms", "fallback_enabled": True, "wait_seconds": 20, "otp_valid_seconds": 60,
    }  # fmt: skip
    return routing.read(routes, **(values | changes))


def test_routes_by_country() -> None:
    known = read(INDIA | {"sender": "india"}, NORTH)

    assert known["IN"] == Route(
        channels=("whatsapp", "sms"), falls_back=True, wait_seconds=12, sender="india"
    )
    assert known["US"] is known["CA"]
    assert known["US"] == Route(channels=("sms", "whatsapp"), falls_back=True, wait_seconds=20)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"fallback_enabled": False}, Route(channels=("whatsapp", "sms"), falls_back=False, wait_seconds=12)),
        ({"verify_phone_by": "sms_only"}, Route(channels=("sms",), falls_back=False, wait_seconds=12)),
        ({"otp_valid_seconds": 12}, Route(channels=("whatsapp", "sms"), falls_back=True, wait_seconds=6)),
    ],
)
def test_of_a_route_that_breaks_a_rule_the_rest_is_kept(changes: dict[str, Any], expected: Route) -> None:
    """Rows of an older version, or changed beside the admin."""
    assert read(INDIA, **changes) == {"IN": expected}


def test_a_route_without_a_channel_left_is_none_and_the_first_of_two_counts() -> None:
    assert read({"countries": ["IN"], "order": ["whatsapp"]}, verify_phone_by="sms_only") == {}
    assert read(INDIA, NORTH | {"countries": ["IN"]})["IN"].channels == ("whatsapp", "sms")


@given(st.lists(st.sampled_from(["IN", "US", "CA", "HK", ""]), min_size=1))
def test_a_country_without_a_route_follows_the_usual_one(codes: list[str]) -> None:
    known = read(INDIA)

    assert set(known) == {"IN"}
    assert all(known.get(code) is None for code in codes if code != "IN")


# Model ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_model_refuses_by_the_same_rules() -> None:
    config = factories.make_project()
    row = LoginMethods.objects.get(project_id=config.id)
    row.routing = [INDIA | {"order": ["pigeon"]}]

    with pytest.raises(ValidationError) as refused:
        row.full_clean()
    assert refused.value.message_dict["routing"] == [
        "Route 1, order: must be of whatsapp, sms, each once at most."
    ]


@pytest.mark.django_db
def test_what_has_not_the_form_of_routes_is_refused_before_its_rules_are_asked() -> None:
    config = factories.make_project()
    row = LoginMethods.objects.get(project_id=config.id)
    row.routing = [{"countries": "IN"}]

    with pytest.raises(ValidationError) as refused:
        row.full_clean()
    assert list(refused.value.message_dict) == ["routing"]


@pytest.mark.django_db
def test_a_saved_route_acts_on_the_next_request() -> None:
    """Decision 13."""
    config = factories.make_project()
    assert config.route("IN") == config.usual_route

    row = LoginMethods.objects.get(project_id=config.id)
    row.routing = [INDIA]
    row.save()

    after = projects.get().by_id[config.id]
    assert after.route("IN").wait_seconds == 12
    assert after.route("HK") == after.route("") == after.usual_route


@pytest.mark.django_db
def test_the_version_before_adds_login_methods_without_routes() -> None:
    factories.make_project()
    other = Project.objects.create(slug="other", name="Other")
    LoginMethods.objects.filter(project=other).delete()
    copied = [
        str(f.column) for f in LoginMethods._meta.fields if f.column not in ("id", "project_id", "routing")
    ]

    with connection.cursor() as cursor:
        names = ", ".join(copied)
        cursor.execute(
            f"INSERT INTO projects_loginmethods (project_id, {names}) SELECT %s, {names} FROM projects_loginmethods",
            [other.id if connection.vendor == "postgresql" else other.id.hex],
        )

    assert LoginMethods.objects.get(project=other).routing == []
