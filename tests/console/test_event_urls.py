"""Event URLs and events in the admin: a secret is shown once, an event is seen and sent again."""

import re
import uuid

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from events import services
from events.models import Endpoint, Event, EventType
from tests import factories
from users.models import User

pytestmark = pytest.mark.django_db
URL = "https://app.example/events"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser(username="ops", password="a-long-password-here"))
    return client


@pytest.fixture
def project_id() -> uuid.UUID:
    return factories.make_project().id


def add(staff: Client, project_id: uuid.UUID, **fields: object) -> str:
    values = {"project": str(project_id), "url": URL, "types": ["sender.alert"], "is_active": "on"} | fields
    return staff.post(reverse("admin:events_endpoint_add"), values, follow=True).content.decode()


def test_a_new_url_gets_a_secret_that_is_shown_once(staff: Client, project_id: uuid.UUID) -> None:
    page = add(staff, project_id)

    endpoint = Endpoint.objects.get()
    (shown,) = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", page.replace("&#x2B;", "+")))
    assert shown == endpoint.secret
    assert endpoint.types == ["sender.alert"]
    again = staff.get(reverse("admin:events_endpoint_change", args=[endpoint.id])).content.decode()
    assert "whsec_" not in again


def test_a_change_keeps_the_secret_and_an_action_makes_a_new_one(
    staff: Client, project_id: uuid.UUID
) -> None:
    add(staff, project_id)
    endpoint = Endpoint.objects.get()
    secret = endpoint.secret
    staff.post(
        reverse("admin:events_endpoint_change", args=[endpoint.id]),
        {"project": str(project_id), "url": f"{URL}/2", "types": ["sender.alert", "sender.alert_over"]},
    )
    endpoint.refresh_from_db()
    assert (endpoint.secret, endpoint.url, endpoint.is_active) == (secret, f"{URL}/2", False)
    assert len(endpoint.types) == 2

    action = {"action": "renew_secret", "_selected_action": [str(endpoint.id)]}
    page = staff.post(reverse("admin:events_endpoint_changelist"), action, follow=True).content.decode()
    endpoint.refresh_from_db()
    assert endpoint.secret != secret
    assert "whsec_" in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://app.example/"},
        {"url": "http://app.example/"},
        {"types": ["sender.sold"]},
        {"types": []},
    ],
)
def test_bad_input_is_refused(
    wrong: dict[str, object], staff: Client, project_id: uuid.UUID, settings: Settings
) -> None:
    settings.INSECURE_HTTP = False
    page = add(staff, project_id, **wrong)

    assert not Endpoint.objects.exists()
    assert "errorlist" in page or "Please correct" in page or "Select a valid" in page


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("https://169.254.169.254/latest/", "must be a public address"),
        ("https://[::ffff:127.0.0.1]/", "must be a public address"),
        ("https://metadata.google.internal/", "must be a public address"),
        ("https://user:pw@app.example/", "must not have a user name"),
        ("https://2130706433/", "must have a host name"),
        ("http://10.0.0.1/", "must be https"),
        ("https://hooks/", "must be a public address"),
    ],
)
def test_urls_that_lead_inside_are_refused_with_the_rule(
    url: str, sentence: str, staff: Client, project_id: uuid.UUID, settings: Settings
) -> None:
    """And an exception that is named is taken, also a host without a dot."""
    settings.AUTHSVC_OUTGOING_ALLOW = []

    assert sentence in add(staff, project_id, url=url)
    assert not Endpoint.objects.exists()
    settings.AUTHSVC_OUTGOING_ALLOW = ["hooks"]
    add(staff, project_id, url="https://hooks/events")
    assert Endpoint.objects.get().url == "https://hooks/events"


def test_events_are_seen_and_sent_again(staff: Client, project_id: uuid.UUID) -> None:
    add(staff, project_id)
    services.record(type=EventType.SENDER_ALERT, project_ids=[project_id], data={"channel": "sms"})
    event = Event.objects.get()
    Event.objects.update(due_at=None, tries=8, outcome="500")

    shown = staff.get(reverse("admin:events_event_change", args=[event.id])).content.decode()
    assert "sender.alert" in shown
    assert "whsec_" not in shown
    action = {"action": "send_again", "_selected_action": [str(event.id)]}
    staff.post(reverse("admin:events_event_changelist"), action)

    event.refresh_from_db()
    assert event.due_at
    assert (event.tries, event.outcome) == (0, "")


def test_events_cannot_be_added_or_deleted_by_hand(staff: Client, project_id: uuid.UUID) -> None:
    add(staff, project_id)
    services.record(type=EventType.SENDER_ALERT, project_ids=[project_id], data={})

    assert staff.get(reverse("admin:events_event_add")).status_code == 403
    assert staff.get(reverse("admin:events_event_delete", args=[Event.objects.get().id])).status_code == 403


def test_a_lost_key_leaves_the_pages_readable(
    staff: Client, project_id: uuid.UUID, settings: Settings
) -> None:
    from cryptography.fernet import Fernet

    add(staff, project_id)
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    endpoint = Endpoint.objects.defer("secret").get()

    assert staff.get(reverse("admin:events_endpoint_changelist")).status_code == 200
    assert staff.get(reverse("admin:events_endpoint_change", args=[endpoint.id])).status_code == 200
    add(staff, project_id, url=f"{URL}/3")
    assert Endpoint.objects.count() == 2


def test_the_same_url_twice_is_a_sentence(staff: Client, project_id: uuid.UUID) -> None:
    add(staff, project_id)
    page = add(staff, project_id)

    assert Endpoint.objects.count() == 1
    assert "already exists" in page


@pytest.mark.parametrize("from_list", [True, False])
def test_a_url_goes_with_its_events(staff: Client, project_id: uuid.UUID, from_list: bool) -> None:
    """Waiting events are deleted, too."""
    add(staff, project_id)
    endpoint = Endpoint.objects.get()
    services.record(type=EventType.SENDER_ALERT, project_ids=[project_id], data={"channel": "sms"})
    assert Event.objects.exists()

    if from_list:
        fields = {"action": "delete_selected", "_selected_action": str(endpoint.id), "post": "yes"}
        staff.post("/admin/events/endpoint/", fields)
    else:
        staff.post(f"/admin/events/endpoint/{endpoint.id}/delete/", {"post": "yes"})

    assert not Endpoint.objects.exists()
    assert not Event.objects.exists()
