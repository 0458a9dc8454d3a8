"""Projects are told of the trouble of the senders that they use: once, with words, and of its end too."""

import json
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from channels.breaker import Source
from channels.models import Sender, SenderHealth
from channels.types import FailureReason
from events import sender_events, services
from events.models import Endpoint, Event, EventType
from projects.models import Project
from tests import factories

pytestmark = pytest.mark.django_db


def endpoint(project_id: uuid.UUID) -> None:
    Endpoint.objects.create(
        project_id=project_id, url="https://app.example/events", types=[item.value for item in EventType]
    )


def fail(sender: Sender, reason: FailureReason = FailureReason.MISCONFIGURED, code: str = "190") -> None:
    sender_events.failed(sender.id, source=Source.CALL, reason=reason, provider_code=code)


def told(project_slug: str) -> list[dict[str, object]]:
    found = Event.objects.filter(endpoint__project__slug=project_slug).order_by("id")
    return [json.loads(event.body) for event in found]


def test_an_alert_and_its_end_are_sent_once_with_their_texts() -> None:
    project = factories.make_project()
    endpoint(project.id)
    sender = Sender.objects.get(channel="whatsapp")
    Sender.objects.update(provider="meta")  # whose words they are
    for _ in range(7):
        fail(sender)

    (said,) = told("acme")
    assert said["type"] == "sender.alert"
    data = said["data"]
    assert isinstance(data, dict)
    assert (data["reason"], data["provider_code"]) == ("misconfigured", "190")
    assert "token" in data["problem"]
    assert data["remedy"]

    SenderHealth.objects.update(failed_at=timezone.now() - timedelta(minutes=11))
    sender_events.succeeded(sender.id, source=Source.CALL)
    assert [item["type"] for item in told("acme")] == ["sender.alert", "sender.alert_over"]


def test_another_reason_is_sent_again() -> None:
    project = factories.make_project()
    endpoint(project.id)
    sender = Sender.objects.get(channel="whatsapp")
    fail(sender)
    fail(sender, FailureReason.PAYMENT, "131042")

    assert len(told("acme")) == 2


def test_a_shared_sender_concerns_those_that_use_it() -> None:
    first = factories.make_project()
    second = factories.make_project(slug="second", is_default=False)
    for project in (first, second):
        endpoint(project.id)
    own = factories.make_sender("whatsapp", Project.objects.get(slug="second"))

    fail(Sender.objects.get(channel="whatsapp", project=None))
    assert (len(told("acme")), len(told("second"))) == (1, 0)
    fail(own)
    assert (len(told("acme")), len(told("second"))) == (1, 1)


def test_without_its_event_a_failure_is_not_written_down_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the next failure of this kind would be no news, and nobody would ever be told."""
    endpoint(factories.make_project().id)

    def away(**_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(services, "record", away)
    with pytest.raises(ZeroDivisionError):
        fail(Sender.objects.get(channel="whatsapp"))

    assert not SenderHealth.objects.exists()


def test_a_deleted_sender_gives_no_event() -> None:
    project = factories.make_project()
    endpoint(project.id)
    sender = Sender.objects.get(channel="whatsapp")
    key = sender.id
    sender.delete()

    sender_events.failed(key, source=Source.CALL, reason=FailureReason.PAYMENT)
    sender_events.succeeded(key, source=Source.REPORT)

    assert not Event.objects.exists()


def types_told() -> list[object]:
    return [item["type"] for item in told("acme")]


def test_after_a_change_recovery_is_sent_once_the_sender_works() -> None:
    """Saving forgets the alert; whoever was told of it must not wait for its end for ever."""
    endpoint(factories.make_project().id)
    sender = Sender.objects.get(channel="whatsapp")
    fail(sender)
    sender.secrets["access_token"] = "a-new-one"
    sender.save()
    sender.save()
    assert types_told() == ["sender.alert"]
    assert not SenderHealth.objects.get().alert

    for _ in range(3):
        sender_events.succeeded(sender.id, source=Source.CALL)

    assert types_told() == ["sender.alert", "sender.alert_over"]
    assert not SenderHealth.objects.exists()


def test_after_a_change_that_did_not_help_the_alert_is_sent_again() -> None:
    endpoint(factories.make_project().id)
    sender = Sender.objects.get(channel="whatsapp")
    fail(sender)
    sender.save()
    fail(sender)
    fail(sender)

    assert types_told() == ["sender.alert", "sender.alert"]


def test_a_change_of_a_healthy_sender_gives_no_event() -> None:
    endpoint(factories.make_project().id)
    sender = Sender.objects.get(channel="whatsapp")
    fail(sender, FailureReason.UNAVAILABLE)
    sender.save()
    sender_events.succeeded(sender.id, source=Source.CALL)

    assert types_told() == []
