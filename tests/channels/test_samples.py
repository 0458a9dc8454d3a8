"""A provider's own sample message: what is kept of it, and how many may be sent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx
from django.utils import timezone

from channels import samples
from channels.base import SenderConfig
from channels.models import SampleMessage, Sender
from channels.senders import config_of
from channels.types import Status
from core import http
from tests import factories
from tests.channels import support

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.fixture
def client(settings: Any) -> Iterator[http.HttpClient]:
    settings.PROVIDER_API_URLS = {"whatsapp": "https://graph.example/v26.0"}
    client = http.HttpClient()
    yield client
    client.close()


@pytest.fixture
def meta() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=False) as router:
        route = router.post("https://graph.example/v26.0/330022114455667/messages")
        yield route.respond(json={"messages": [{"id": support.WAMID}]})


def make_sender() -> Sender:
    return factories.make_sender(
        "whatsapp",
        provider="meta",
        phone_number_id="330022114455667",
        access_token="access-token-of-acme",
        template_languages=["en"],
    )


@pytest.fixture
def sender() -> Sender:
    return make_sender()


def send(sender: Sender, client: http.HttpClient) -> SampleMessage:
    config: SenderConfig[Any] = config_of(sender)
    return samples.send(config, support.PHONE, "+52 ••• 0123", client=client)


def make_sample(sender: Sender, at: datetime | None = None) -> SampleMessage:
    at = at or timezone.now()
    return SampleMessage.objects.create(sender=sender, phone_masked="+52 ••", created_at=at)


def steps(sample: SampleMessage) -> list[Status]:
    sample.refresh_from_db()
    return [Status(step["status"]) for step in sample.steps]


# Sending ----------------------------------------------------------------------------------------------


def test_a_sample_is_kept_without_its_number(
    sender: Sender, client: http.HttpClient, meta: respx.Route
) -> None:
    sample = send(sender, client)

    assert steps(sample) == [Status.ACCEPTED]
    assert samples.last(sender.id) == sample
    assert support.PHONE not in repr(SampleMessage.objects.values())
    assert samples._PREFIX.encode() + str(sample.pk).encode() in meta.calls.last.request.content


@pytest.mark.parametrize(
    ("answer", "status", "reason", "code"),
    [
        (httpx.Response(200, json={"messages": []}), Status.SENDING, "", ""),
        (httpx.Response(401, json={"error": {"code": 190}}), Status.FAILED, "misconfigured", "190"),
        (httpx.Response(503), Status.FAILED, "unavailable", "http-503"),
        (httpx.ConnectError("refused"), Status.FAILED, "unavailable", ""),
        (httpx.ReadTimeout("late"), Status.FAILED, "unavailable", ""),
    ],
    ids=["no id", "refused", "down", "away", "lost"],
)
def test_what_came_of_it_is_its_first_step(
    answer: httpx.Response | Exception,
    status: Status,
    reason: str,
    code: str,
    sender: Sender,
    client: http.HttpClient,
    meta: respx.Route,
) -> None:
    meta.mock(side_effect=[answer])

    (step,) = send(sender, client).steps

    assert (step["status"], step["reason"], step["code"]) == (status.value, reason, code)


def test_a_provider_without_a_sample_keeps_nothing(client: http.HttpClient) -> None:
    with pytest.raises(LookupError):
        send(factories.make_sender("sms"), client)
    assert not SampleMessage.objects.exists()


# How many ---------------------------------------------------------------------------------------------


def test_one_too_many_is_neither_sent_nor_kept(
    sender: Sender, client: http.HttpClient, meta: respx.Route
) -> None:
    rows = [make_sample(sender) for _nth in range(samples.MOST)]

    with pytest.raises(samples.TooMany):
        send(sender, client)

    assert not meta.called
    assert set(SampleMessage.objects.all()) == set(rows)


def test_a_failed_sample_counts_like_any_other(
    sender: Sender, client: http.HttpClient, meta: respx.Route
) -> None:
    meta.respond(503)
    for _nth in range(samples.MOST):
        send(sender, client)

    with pytest.raises(samples.TooMany):
        send(sender, client)
    assert meta.call_count == samples.MOST


@pytest.mark.parametrize(("more", "is_sent"), [(timedelta(seconds=-30), False), (timedelta(seconds=1), True)])
def test_after_an_hour_there_is_room_again(
    more: timedelta, is_sent: bool, sender: Sender, client: http.HttpClient, meta: respx.Route
) -> None:
    for _nth in range(samples.MOST):
        make_sample(sender, timezone.now() - samples.WITHIN - more)

    if is_sent:
        assert steps(send(sender, client)) == [Status.ACCEPTED]
    else:
        with pytest.raises(samples.TooMany):
            send(sender, client)


def test_another_senders_samples_take_no_room_and_are_not_removed(
    sender: Sender, client: http.HttpClient, meta: respx.Route
) -> None:
    other = make_sender()
    long_ago = timezone.now() - timedelta(days=1)
    theirs = [make_sample(other, long_ago) for _nth in range(samples._KEPT + 2)]
    recent = [make_sample(other) for _nth in range(samples.MOST)]

    send(sender, client)

    assert set(SampleMessage.objects.filter(sender=other)) == {*theirs, *recent}


def test_the_oldest_gives_way(sender: Sender, client: http.HttpClient, meta: respx.Route) -> None:
    rows = [make_sample(sender, AT - timedelta(days=nth)) for nth in range(1, samples._KEPT + 1)]

    sample = send(sender, client)

    assert set(SampleMessage.objects.all()) == {sample, *rows[:-1]}
