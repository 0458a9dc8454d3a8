"""Login methods in the admin: what they store, show and refuse."""

import re

import pytest
from django.test import Client

from channels.models import Sender
from projects.config import ProjectConfig, projects
from projects.models import LoginMethods
from tests import factories
from tests.console.login_methods.support import save_methods


def test_with_one_project_login_methods_open_at_once(staff: Client) -> None:
    answer = staff.get("/admin/projects/loginmethods/")

    assert answer.status_code == 302
    assert re.fullmatch(r"/admin/projects/loginmethods/\d+/change/", answer["Location"])


def test_with_two_projects_there_is_a_list(staff: Client) -> None:
    factories.make_project(slug="other", name="Other", is_default=False)

    assert staff.get("/admin/projects/loginmethods/").status_code == 200


def test_the_page_uses_the_words_of_the_reference_product(staff: Client) -> None:
    page = staff.get("/admin/projects/loginmethods/", follow=True).content.decode()

    for words in ("Select login methods", "Mobile", "Authentication", "Passwordless", "Verification and OTP",
                  "Verify phone number by", "WhatsApp or SMS", "WhatsApp only", "SMS only"):  # fmt: skip
        assert words in page


@pytest.mark.parametrize("mode", ["whatsapp_or_sms", "whatsapp_only", "sms_only"])
def test_a_saved_mode_acts_on_the_next_login(mode: str, staff: Client, project: ProjectConfig) -> None:
    """Decision 13."""
    assert save_methods(staff, verify_phone_by=mode) == []

    assert projects.get().by_id[project.id].verify_phone_by == mode


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("otp_length", 5),
        ("otp_length", 11),
        ("otp_valid_seconds", 601),
        ("otp_valid_seconds", 59),
        ("max_attempts", 0),
        ("fallback_wait_seconds", 1),
        ("resend_after_seconds", 0),
        ("verify_phone_by", "pigeon"),
        ("countries_allowed", ["XX"]),
    ],
)
def test_values_out_of_bounds_are_refused(field: str, value: object, staff: Client) -> None:
    """A1, A3."""
    before = LoginMethods.objects.values().get()

    assert save_methods(staff, **{field: value})
    assert LoginMethods.objects.values().get() == before


@pytest.mark.parametrize(
    ("gone", "mode", "refused"),
    [
        ("sms", "whatsapp_or_sms", True),
        ("sms", "sms_only", True),
        ("sms", "whatsapp_only", False),
        ("whatsapp", "whatsapp_or_sms", True),
        ("whatsapp", "sms_only", False),
    ],
)
def test_a_mode_needs_the_senders_it_promises(
    gone: str, mode: str, refused: bool, staff: Client
) -> None:  # a table
    """D13."""
    Sender.objects.filter(channel=gone).delete()

    errors = save_methods(staff, verify_phone_by=mode)

    assert bool(errors) is refused
    assert not refused or "no active" in errors[0]


def test_countries_are_chosen_by_name(staff: Client, project: ProjectConfig) -> None:
    """C7."""
    assert (
        save_methods(staff, all_countries=None, countries_allowed=["HK", "GB"], countries_pinned=["HK"]) == []
    )

    config = projects.get().by_id[project.id]
    assert config.countries_allowed == frozenset({"HK", "GB"})
    assert config.countries_pinned == ("HK",)


@pytest.mark.parametrize("switch", ["on", None])
def test_networks_of_no_country_are_chosen_beside_countries(
    staff: Client, project: ProjectConfig, switch: str | None
) -> None:
    """The switch for all countries does not mean them."""
    countries = [] if switch else ["HK"]
    assert save_methods(staff, all_countries=switch, countries_allowed=[*countries, "+881"]) == []

    config = projects.get().by_id[project.id]
    assert config.networks_allowed == {"+881"}
    assert config.countries_allowed == (None if switch else {"HK"})


def test_all_countries_is_one_switch(staff: Client, project: ProjectConfig) -> None:
    save_methods(staff, all_countries="on", countries_allowed=["HK"])

    assert projects.get().by_id[project.id].countries_allowed is None


def test_a_change_is_in_the_history(staff: Client) -> None:
    """K6."""
    row = LoginMethods.objects.get()
    save_methods(staff, otp_length=8)

    history = staff.get(f"/admin/projects/loginmethods/{row.pk}/history/").content.decode()
    assert "Code length" in history
