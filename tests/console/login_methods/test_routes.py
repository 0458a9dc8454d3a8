"""The tab Routing: rows with countries, order, wait and sender; what does not apply is left out."""

from typing import Any

import pytest
from django.test import Client

from channels.models import Sender
from projects.config import ProjectConfig
from projects.models import LoginMethods
from tests import factories
from tests.console.login_methods.support import page_of, routes_form, save_methods

INDIA: dict[str, Any] = {"countries": ["IN"], "order": "whatsapp sms", "wait_seconds": "12"}
STORED = {"countries": ["IN"], "order": ["whatsapp", "sms"], "wait_seconds": 12}


def stored() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = LoginMethods.objects.get(project__slug="acme").routing
    return rows


def save(client: Client, *rows: dict[str, Any], **changes: Any) -> list[str]:
    return save_methods(client, **(routes_form(*rows) | changes))


def test_rows_are_stored(staff: Client) -> None:
    north = {"countries": ["US", "CA"], "order": "sms whatsapp"}

    assert save(staff, INDIA, north, {}) == []

    assert stored() == [STORED, {"countries": ["CA", "US"], "order": ["sms", "whatsapp"]}] or stored() == [
        STORED,
        {"countries": ["US", "CA"], "order": ["sms", "whatsapp"]},
    ]


def test_an_empty_row_is_none_and_a_removed_one_is_gone(staff: Client) -> None:
    assert save(staff, INDIA, {}) == []
    assert save(staff, INDIA | {"DELETE": "on"}, {}) == []
    assert stored() == []


def test_what_is_wrong_in_a_removed_row_does_not_matter(staff: Client) -> None:
    assert save(staff, INDIA | {"wait_seconds": "9999", "DELETE": "on"}) == []


def test_a_post_without_rows_leaves_them_as_they_are(staff: Client) -> None:
    """A program, or a browser that was open while the version changed."""
    LoginMethods.objects.update(routing=[STORED])

    assert save_methods(staff, otp_length=8) == []
    assert stored() == [STORED]


def test_stored_rows_are_shown(staff: Client) -> None:
    factories.make_sender("whatsapp", name="india")
    LoginMethods.objects.update(routing=[STORED | {"sender": "india"}])

    page = page_of(staff)

    assert '<option value="IN" selected>🇮🇳 India +91</option>' in page
    assert '<option value="whatsapp sms" selected>' in page
    assert 'name="routing-0-wait_seconds" value="12"' in page
    assert '<option value="india" selected>' in page
    assert 'name="routing-1-order"' in page  # an empty one for the next
    assert "routing-__prefix__-order" in page  # and one for scripts


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (INDIA | {"wait_seconds": "4"}, "Route 1, wait: Ensure this value is greater than or equal to 5."),
        (INDIA | {"wait_seconds": "soon"}, "Route 1, wait: Enter a whole number."),
        (INDIA | {"countries": ["XX"]}, "Route 1, countries: Select a valid choice. XX is not one of the available choices."),
        (INDIA | {"order": "pigeon"}, "Route 1, order: Select a valid choice. pigeon is not one of the available choices."),
        (INDIA | {"sender": "gone"}, "Route 1, sender: Select a valid choice. gone is not one of the available choices."),
        (INDIA | {"countries": []}, "Route 1, countries: must name at least one country."),
        (INDIA | {"wait_seconds": "60"}, "Route 1, wait: must be below the 60 seconds that a code is valid."),
    ],
)  # fmt: skip
def test_each_mistake_names_its_row(row: dict[str, Any], error: str, staff: Client) -> None:
    assert save(staff, row, otp_valid_seconds=60) == [error]
    assert stored() == []


def test_a_country_has_one_route(staff: Client) -> None:
    assert save(staff, INDIA, INDIA) == ["Route 2, countries: names a country twice: IN."]


def test_a_route_is_for_countries_that_are_allowed(staff: Client) -> None:
    errors = save(staff, INDIA, all_countries=None, countries_allowed=["HK"])

    assert errors == ["Route 1, countries: must be among the countries allowed: IN."]


def test_errors_are_on_the_tab_routing_and_it_is_marked(staff: Client) -> None:
    row = LoginMethods.objects.get()
    form = {"verify_phone_by": "whatsapp_or_sms", "identifier": "mobile", "authentication": "passwordless",
            "otp_length": 6, "otp_valid_seconds": 600, "resend_after_seconds": 30, "max_attempts": 5,
            "fallback_enabled": "on", "fallback_wait_seconds": 20, "all_countries": "on"}  # fmt: skip
    answer = staff.post(
        f"/admin/projects/loginmethods/{row.pk}/change/", form | routes_form(INDIA | {"countries": []})
    )

    page = answer.content.decode()
    assert "activeFieldsetTab: 'routing'" in page
    tab = page[page.index("activeFieldsetTab = 'routing'") :][:800]
    assert 'data-testid="error-count"' in tab
    assert "must name at least one country" in page


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("sms_only", {"countries": ["IN"], "order": ["sms"]}),
        ("whatsapp_only", {"countries": ["IN"], "order": ["whatsapp"]}),
    ],
)
def test_channels_that_the_mode_does_not_offer_are_left_out(
    mode: str, expected: dict[str, Any], staff: Client
) -> None:
    """As the page hides them. With the wait: there is nothing to wait for."""
    assert save(staff, INDIA, verify_phone_by=mode) == []
    assert stored() == [expected]


def test_a_route_of_a_channel_that_the_mode_does_not_offer_at_all_is_refused(staff: Client) -> None:
    errors = save(staff, {"countries": ["IN"], "order": "whatsapp"}, verify_phone_by="sms_only")

    assert errors == ["Route 1, order: must be of sms, each once at most."]


@pytest.mark.parametrize("order", ["sms whatsapp", "whatsapp", "sms"])
def test_a_wait_is_kept_only_where_silence_is_waited_for(order: str, staff: Client) -> None:
    assert save(staff, INDIA | {"order": order}) == []
    assert stored() == [{"countries": ["IN"], "order": order.split()}]


# Senders ----------------------------------------------------------------------------------------------


def test_named_senders_of_the_project_and_shared_ones_can_be_chosen(
    staff: Client, project: ProjectConfig
) -> None:
    factories.make_sender("whatsapp", name="own", project_id=project.id)
    factories.make_sender("sms", name="shared")
    other = factories.make_project(slug="other", name="Other", is_default=False)
    factories.make_sender("sms", name="foreign", project_id=other.id)
    factories.make_sender("sms", name="asleep", is_active=False)

    page = page_of(staff)

    assert '<option value="own">own (whatsapp)' in page
    assert '<option value="shared">shared (sms)' in page
    assert "foreign" not in page
    assert "asleep" not in page
    assert save(staff, INDIA | {"sender": "own"}) == []
    assert stored() == [STORED | {"sender": "own"}]


def test_a_sender_sends_on_a_channel_of_its_route(staff: Client) -> None:
    factories.make_sender("whatsapp", name="india")

    errors = save(staff, {"countries": ["IN"], "order": "sms", "sender": "india"})

    assert errors == ["Route 1, sender: india sends whatsapp, which is not in the order."]


def test_a_stored_sender_that_is_gone_is_said_and_not_dropped_silently(staff: Client) -> None:
    LoginMethods.objects.update(routing=[STORED | {"sender": "gone"}])

    assert '<option value="gone" selected>gone (not active)' in page_of(staff)
    errors = save(staff, INDIA | {"sender": "gone"}, **{"routing-INITIAL_FORMS": 1})
    assert errors == ["Route 1, sender: no active sender of this project, and no shared one, is named gone."]
    assert Sender.objects.filter(name="gone").count() == 0
