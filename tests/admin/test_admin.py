"""The admin as staff use it: what it shows, what it refuses, what it never tells."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from channels.models import Sender
from channels.types import Status
from otp import services
from otp.models import Challenge, Delivery, DeliveryEvent
from projects.config import ProjectConfig, projects
from projects.models import LoginMethods, Project, TestNumber
from tests import factories
from users.models import User

PASSWORD = "a long enough password"  # made up


@pytest.fixture
def project(db: None) -> ProjectConfig:
    return factories.make_project()


@pytest.fixture
def staff(client: Client, project: ProjectConfig) -> Client:
    User.objects.create_superuser("admin", PASSWORD)
    client.post("/admin/login/", {"username": "admin", "password": PASSWORD})
    return client


def methods_form(client: Client, **changes: object) -> dict[str, object]:
    """What the login methods form posts, with changes."""
    row = LoginMethods.objects.get(project__slug="acme")
    values: dict[str, object] = {
        name: getattr(row, name)
        for name in (
            "identifier", "authentication", "verify_phone_by", "otp_length", "otp_valid_seconds",
            "resend_after_seconds", "max_attempts", "fallback_wait_seconds",
        )
    }  # fmt: skip
    values |= {"fallback_enabled": "on", "all_countries": "on"}
    return {name: value for name, value in (values | changes).items() if value is not None}


def save_methods(client: Client, **changes: object) -> list[str]:
    """Post the form: the errors it comes back with, none when it was saved."""
    row = LoginMethods.objects.get(project__slug="acme")
    answer = client.post(f"/admin/projects/loginmethods/{row.pk}/change/", methods_form(client, **changes))
    if answer.status_code == 302:
        return []
    errors = answer.context["adminform"].form.errors
    return [str(message) for messages in errors.values() for message in messages]


# Who may enter --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/projects/loginmethods/",
        "/admin/channels/sender/",
        "/admin/otp/challenge/",
        "/admin/users/user/",
    ],
)
@pytest.mark.django_db
def test_nobody_enters_without_a_password(path: str, client: Client) -> None:
    answer = client.get(path)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_a_person_who_logged_in_with_a_phone_does_not_enter(client: Client, project: ProjectConfig) -> None:
    """K1."""
    person = User.objects.create(project_id=project.id, phone=factories.PHONE)
    client.force_login(person)

    assert client.get("/admin/otp/challenge/").status_code == 302


def test_a_wrong_password_does_not_enter(client: Client, project: ProjectConfig) -> None:
    User.objects.create_superuser("admin", PASSWORD)

    client.post("/admin/login/", {"username": "admin", "password": "wrong"})

    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "/admin/", "/admin/channels/sender/", "/admin/channels/sender/add/", "/admin/otp/challenge/", "/admin/users/user/",
        "/admin/users/user/add/", "/admin/projects/project/", "/admin/projects/project/add/",
        "/admin/projects/testnumber/", "/admin/projects/testnumber/add/",
    ],
)  # fmt: skip
def test_every_page_opens(path: str, staff: Client) -> None:
    assert staff.get(path).status_code == 200


def test_the_admin_keeps_a_policy_of_its_own_and_cannot_be_framed(staff: Client) -> None:
    """G1."""
    policy = staff.get("/admin/")["Content-Security-Policy"]

    assert "frame-ancestors 'none'" in policy
    assert "object-src 'none'" in policy
    assert "http" not in policy
    assert "unsafe-eval" not in staff.get("/login/")["Content-Security-Policy"]


# Login methods --------------------------------------------------------------------------------------


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


def test_all_countries_is_one_switch(staff: Client, project: ProjectConfig) -> None:
    save_methods(staff, all_countries="on", countries_allowed=["HK"])

    assert projects.get().by_id[project.id].countries_allowed is None


def test_a_change_is_in_the_history(staff: Client) -> None:
    """K6."""
    row = LoginMethods.objects.get()
    save_methods(staff, otp_length=8)

    history = staff.get(f"/admin/projects/loginmethods/{row.pk}/history/").content.decode()
    assert "Code length" in history


# Senders ----------------------------------------------------------------------------------------------

SECRET = "very-secret-access-token"  # made up
WHATSAPP: dict[str, Any] = {
    "channel": "whatsapp",
    "provider": "meta",
    "is_active": "on",
    "phone_number_id": "100200300",
    "business_account_id": "500400300",
    "access_token": SECRET,
    "app_secret": "app-secret-value",
    "verify_token": "verify-token-value",
    "template_name": "one_time_password",
    "template_languages": "en, pt_BR es",
}


def save_sender(client: Client, sender: Sender | None = None, **values: Any) -> list[str]:
    path = f"/admin/channels/sender/{sender.pk}/change/" if sender else "/admin/channels/sender/add/"
    answer = client.post(path, {name: value for name, value in values.items() if value is not None})
    if answer.status_code == 302:
        return []
    errors = answer.context["adminform"].form.errors
    return [f"{name}: {message}" for name, messages in errors.items() for message in messages]


@pytest.fixture
def own(staff: Client, project: ProjectConfig) -> Sender:
    assert save_sender(staff, project=str(project.id), **WHATSAPP) == []
    return Sender.objects.get(project_id=project.id)


def test_a_sender_is_stored_with_its_secrets_encrypted(own: Sender) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM channels_sender WHERE project_id IS NOT NULL")
        stored = cursor.fetchone()[0]
    assert own.access_token == SECRET
    assert SECRET not in stored
    assert own.template_languages == ["en", "pt_BR", "es"]


def test_secrets_are_never_shown_again(own: Sender, staff: Client) -> None:
    """K3, A9."""
    page = staff.get(f"/admin/channels/sender/{own.pk}/change/").content.decode()

    assert "Stored. Leave empty to keep it." in page
    for secret in (SECRET, "app-secret-value", "verify-token-value"):
        assert secret not in page


def test_an_empty_secret_keeps_the_stored_one(own: Sender, staff: Client) -> None:
    kept = {"access_token": "", "app_secret": "", "verify_token": ""}
    values = {**WHATSAPP, **kept, "phone_number_id": "999", "project": str(own.project_id)}

    assert save_sender(staff, own, **values) == []

    own.refresh_from_db()
    assert (own.phone_number_id, own.access_token, own.app_secret) == ("999", SECRET, "app-secret-value")


def test_a_stored_secret_can_be_dropped(own: Sender, staff: Client) -> None:
    own.app_secret_previous = "old"
    own.save()

    kept = {"access_token": "", "app_secret": "", "verify_token": "", "app_secret_previous": ""}
    save_sender(
        staff, own, **{**WHATSAPP, **kept, "project": str(own.project_id), "forget": ["app_secret_previous"]}
    )

    own.refresh_from_db()
    assert own.app_secret_previous == ""
    assert own.app_secret == "app-secret-value"


@pytest.mark.parametrize(
    "field",
    [
        "phone_number_id",
        "business_account_id",
        "access_token",
        "app_secret",
        "verify_token",
        "template_languages",
    ],
)
def test_a_provider_needs_its_fields(field: str, staff: Client, project: ProjectConfig) -> None:
    errors = save_sender(staff, project=str(project.id), **{**WHATSAPP, field: ""})

    assert any(error.startswith(f"{field}: ") for error in errors)
    assert not Sender.objects.filter(project_id=project.id).exists()


@pytest.mark.parametrize("languages", ["en; es", "12", "<script>"])
def test_template_languages_are_codes(languages: str, staff: Client, project: ProjectConfig) -> None:
    assert save_sender(staff, project=str(project.id), **{**WHATSAPP, "template_languages": languages})


def test_two_active_senders_of_one_project_and_channel_are_refused(
    own: Sender, staff: Client, project: ProjectConfig
) -> None:
    assert save_sender(staff, project=str(project.id), **WHATSAPP)


def test_a_sender_that_a_mode_needs_cannot_be_switched_off(staff: Client) -> None:
    """D13."""
    sms = Sender.objects.get(channel="sms")

    errors = save_sender(staff, sms, channel="sms", provider="memory", is_active=None, template_name="x")

    assert any("Acme" in error for error in errors), errors
    sms.refresh_from_db()
    assert sms.is_active


def test_a_sender_that_a_mode_needs_cannot_be_deleted(staff: Client) -> None:
    """D13."""
    sms = Sender.objects.get(channel="sms")

    page = staff.post(
        f"/admin/channels/sender/{sms.pk}/delete/", {"post": "yes"}, follow=True
    ).content.decode()

    assert Sender.objects.filter(pk=sms.pk).exists()
    assert "Acme" in page


def test_a_sender_that_nobody_needs_can_be_deleted(own: Sender, staff: Client) -> None:
    """The shared one serves the project again."""
    staff.post(f"/admin/channels/sender/{own.pk}/delete/", {"post": "yes"})

    assert not Sender.objects.filter(pk=own.pk).exists()


def test_the_address_for_metas_callback_is_shown(own: Sender, staff: Client) -> None:
    assert (
        "http://testserver/whatsapp/webhook"
        in staff.get(f"/admin/channels/sender/{own.pk}/change/").content.decode()
    )


# Delivery log -----------------------------------------------------------------------------------------


@pytest.fixture
def challenge(project: ProjectConfig, monkeypatch: pytest.MonkeyPatch) -> Challenge:
    from otp import bell

    monkeypatch.setattr(bell, "ring_send", lambda _delivery_id: None)
    started = services.start_challenge(
        project=project,
        phone=factories.phone(),
        language="en",
        origin=factories.ORIGIN,
        address=factories.ADDRESS,
    )
    delivery = Delivery.objects.get()
    report = factories.report(delivery, Status.FAILED, message_id="wamid.HBgNNTIxNTU1MDEwMDEyMxUC")
    services.record_status_updates([report])
    return Challenge.objects.get(id=started.challenge_id)


def test_the_log_shows_outcome_and_a_masked_number(challenge: Challenge, staff: Client) -> None:
    """A9, P2."""
    page = staff.get("/admin/otp/challenge/").content.decode()

    assert "••67" in page
    assert "whatsapp failed" in page
    assert factories.PHONE not in page


def test_the_timeline_tells_why_without_code_number_or_message_id(
    challenge: Challenge, staff: Client
) -> None:
    """K4, K5, A9."""
    page = staff.get(f"/admin/otp/challenge/{challenge.id}/change/").content.decode()

    assert "not_on_channel (131026)" in page
    assert "Started" in page
    for hidden in (factories.code_of(challenge.id), factories.PHONE, factories.PHONE[1:], "HBgNNTIx"):
        assert hidden not in page


@pytest.mark.parametrize(
    ("term", "found"),
    [
        (factories.PHONE, 1),
        ("+852 5123 4567", 1),
        ("00852-5123-4567", 1),
        (factories.OTHER_PHONE, 0),
        ("5123", 0),
        ("nonsense", 0),
        ("' OR 1=1 --", 0),
    ],
)
def test_a_number_is_found_whole_in_any_spelling(
    term: str, found: int, challenge: Challenge, staff: Client
) -> None:
    answer = staff.get("/admin/otp/challenge/", {"q": term})

    assert answer.context["cl"].result_count == found


def test_a_challenge_is_found_by_its_id(challenge: Challenge, staff: Client) -> None:
    assert staff.get("/admin/otp/challenge/", {"q": str(challenge.id)}).context["cl"].result_count == 1


@pytest.mark.parametrize(("outcome", "found"), [("open", 1), ("verified", 0), ("given_up", 0)])
def test_the_log_is_filtered_by_outcome(
    outcome: str, found: int, challenge: Challenge, staff: Client
) -> None:
    assert staff.get("/admin/otp/challenge/", {"outcome": outcome}).context["cl"].result_count == found


@pytest.mark.parametrize("page", ["add/", "{id}/delete/"])
def test_the_log_is_read_only(page: str, challenge: Challenge, staff: Client) -> None:
    path = f"/admin/otp/challenge/{page.format(id=challenge.id)}"

    assert staff.get(path).status_code == 403
    assert staff.post(path, {"post": "yes"}).status_code == 403
    assert staff.post(f"/admin/otp/challenge/{challenge.id}/change/", {"attempts": 3}).status_code == 403
    assert Challenge.objects.filter(id=challenge.id, attempts=0).exists()


def test_the_log_costs_the_same_for_one_and_for_many(
    challenge: Challenge, staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for nth in range(30):
        copy = Challenge.objects.get(id=challenge.id)
        copy.pk, copy.phone = None, f"+8525123{nth:04}"
        copy.id = Challenge._meta.get_field("id").get_default()
        copy.save(force_insert=True)
        moment = timezone.now() + timedelta(seconds=nth)
        Delivery.objects.create(
            challenge=copy, channel="whatsapp", created_at=moment, send_after=moment, status_at=moment
        )

    with django_assert_max_num_queries(12):
        staff.get("/admin/otp/challenge/")


# Users, test numbers, projects --------------------------------------------------------------------------


@pytest.fixture
def person(project: ProjectConfig) -> User:
    return User.objects.create(project_id=project.id, phone=factories.PHONE)


@pytest.mark.parametrize("term", [factories.PHONE, "+852 5123 4567"])
def test_people_are_found_by_their_number_and_shown_masked(term: str, person: User, staff: Client) -> None:
    answer = staff.get("/admin/users/user/", {"q": term})

    assert answer.context["cl"].result_count == 1
    assert "••67" in answer.content.decode()
    assert factories.PHONE not in answer.content.decode().replace(f'value="{term}"', "")


@pytest.mark.parametrize(("action", "active"), [("block", False), ("unblock", True)])
def test_people_are_blocked_and_signed_out(
    action: str, active: bool, person: User, staff: Client
) -> None:  # a table
    """F6."""
    salt = person.session_salt

    staff.post("/admin/users/user/", {"action": action, "_selected_action": [str(person.id)]})

    person.refresh_from_db()
    assert person.is_active is active
    assert person.session_salt != salt


def test_all_sessions_of_a_person_are_ended(person: User, staff: Client) -> None:
    """F7."""
    salt = person.session_salt

    staff.post("/admin/users/user/", {"action": "end_sessions", "_selected_action": [str(person.id)]})

    person.refresh_from_db()
    assert person.session_salt != salt
    assert person.is_active


def test_a_persons_number_cannot_be_edited(person: User, staff: Client) -> None:
    staff.post(f"/admin/users/user/{person.id}/change/", {"phone": factories.OTHER_PHONE, "is_staff": "on"})

    person.refresh_from_db()
    assert (person.phone, person.is_staff) == (factories.PHONE, False)


def test_staff_are_made_with_a_password(staff: Client) -> None:
    staff.post("/admin/users/user/add/", {"username": "helper", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"})  # fmt: skip

    helper = User.objects.get(username="helper")
    assert helper.is_staff
    assert not helper.is_superuser
    assert helper.check_password(PASSWORD)


def test_a_test_number_is_stored_with_its_code_hidden(staff: Client, project: ProjectConfig) -> None:
    """A10, A9."""
    until = timezone.now().date() + timedelta(days=30)
    values = {
        "project": str(project.id),
        "phone": "+1 500 555 0199",
        "code": "424242",
        "until": until.isoformat(),
    }

    staff.post("/admin/projects/testnumber/add/", values)

    number = TestNumber.objects.get()
    assert (number.phone, number.code) == ("+15005550199", "424242")
    assert "424242" not in staff.get(f"/admin/projects/testnumber/{number.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [("phone", "123"), ("code", "12345"), ("code", "abcdef"), ("code", ""), ("until", "soon")],
)
def test_a_wrong_test_number_is_refused(
    field: str, value: str, staff: Client, project: ProjectConfig
) -> None:
    values = {"project": str(project.id), "phone": "+15005550199", "code": "424242", "until": "2030-01-31"}

    assert staff.post("/admin/projects/testnumber/add/", values | {field: value}).status_code == 200
    assert not TestNumber.objects.exists()


def test_a_project_can_be_renamed(staff: Client, project: ProjectConfig) -> None:
    values = {
        "name": "New name", "slug": "acme", "is_default": "on",
        "domains-TOTAL_FORMS": "1", "domains-INITIAL_FORMS": "0", "domains-0-host": "login.acme.example",
    }  # fmt: skip

    staff.post(f"/admin/projects/project/{project.id}/change/", values)

    assert Project.objects.get().name == "New name"
    assert projects.get().for_host("login.acme.example:443").name == "New name"  # type: ignore[union-attr] # the project just saved


def test_events_are_what_the_timeline_reads(challenge: Challenge) -> None:
    assert DeliveryEvent.objects.filter(delivery__challenge=challenge).count() == 1
