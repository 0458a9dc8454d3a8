"""What of a genuine post to `/whatsapp/webhook` counts, whatever else it names (P3), and when (P8)."""

from typing import Any

import pytest
from django.test import Client
from prometheus_client import REGISTRY

from channels.models import Sender
from channels.types import Channel, FailureReason, Status
from otp.models import Delivery
from tests import factories
from tests.fixtures.load import compact
from tests.webhooks import support
from tests.webhooks.conftest import HandedOver
from tests.webhooks.whatsapp import make_sender, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender(db: None) -> Sender:
    return make_sender()


# P3 -------------------------------------------------------------------------------------------------


def left_out(why: str) -> float:
    return (
        REGISTRY.get_sample_value("authsvc_webhook_left_out_total", {"provider": "meta", "reason": why}) or 0
    )


@pytest.fixture
def delivery(sender: Sender) -> Delivery:
    project = factories.make_project()
    from otp import services

    services.start_challenge(
        project=project,
        phone=factories.phone(),
        language="en",
        origin=factories.ORIGIN,
        address=factories.ADDRESS,
        channel=Channel.WHATSAPP,
    )
    return Delivery.objects.get()


def entry(delivery: Delivery, word: str = "delivered", **fields: Any) -> dict[str, Any]:
    status = support.status(word, biz_opaque_callback_data=str(delivery.id)) | fields
    made: dict[str, Any] = support.payload(support.change(statuses=[status]))["entry"][0]
    return made


FOREIGN = support.payload(
    support.change(support.OTHER_NUMBER, statuses=[support.status(id="wamid.theirs")]),
    account=support.OTHER_ACCOUNT,
)["entry"][0]
TEST_BUTTON = support.payload(
    support.change("123456123", messages=[{"from": "16315551181", "id": "ABGGFlA5Fpa", "type": "text"}]),
    account="0",
)["entry"][0]


def posted(*entries: Any, **fields: Any) -> Any:
    return post(compact({"object": "whatsapp_business_account", "entry": list(entries)}), **fields)


@pytest.mark.parametrize("foreign", [FOREIGN, TEST_BUTTON, {}, None])
@pytest.mark.parametrize("order", [1, -1])
def test_ours_is_recorded_whatever_else_the_body_names(
    foreign: object, order: int, delivery: Delivery
) -> None:
    """P3: it was 401, our `delivered` was lost, an SMS went out, and Meta repeated it for days."""
    assert posted(*[entry(delivery), foreign][::order]).status_code == 200

    delivery.refresh_from_db()
    assert delivery.status == Status.DELIVERED


@pytest.mark.parametrize("secret", [support.SECRET, support.OTHER_SECRET])
def test_the_previous_secret_signs_batches_too(secret: str, delivery: Delivery) -> None:
    """P3: during a rotation."""
    assert posted(FOREIGN, entry(delivery), secret=secret).status_code == 200

    delivery.refresh_from_db()
    assert delivery.status == Status.DELIVERED


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([FOREIGN], "foreign_account"),
        ([TEST_BUTTON], "foreign_account"),
        ([support.payload(support.change("330000000000001"))["entry"][0]], "foreign_number"),
    ],
)
def test_what_is_about_nobody_here_is_taken_and_counted(
    entries: list[Any], why: str, sender: Sender, handed_over: HandedOver
) -> None:
    """P3: the Test button of Meta's dashboard is one of these."""
    before = left_out(why)

    assert posted(*entries).status_code == 200

    assert handed_over.nothing
    assert left_out(why) == before + 1


def test_a_genuine_post_about_pages_is_taken_and_counted(sender: Sender, handed_over: HandedOver) -> None:
    """P3."""
    before = left_out("foreign_object")

    assert post(compact({"object": "page", "entry": [{"id": "1", "changes": []}]})).status_code == 200

    assert left_out("foreign_object") == before + 1


def test_another_tenants_secret_moves_nothing_of_ours(delivery: Delivery) -> None:
    """P3: its own entries are its own, those that name us are foreign to its secret."""
    project = factories.make_project(senders=False, slug="other", is_default=False)
    make_sender(
        project_id=project.id,
        phone_number_id=support.OTHER_NUMBER,
        business_account_id=support.OTHER_ACCOUNT,
        app_secret="of another app",
        app_secret_previous="",
    )

    assert posted(entry(delivery, "failed"), FOREIGN, secret="of another app").status_code == 200

    delivery.refresh_from_db()
    assert delivery.status == Status.QUEUED


# P8 -------------------------------------------------------------------------------------------------


@pytest.fixture
def _bells_are_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    from otp import queue

    monkeypatch.setattr(queue, "enqueue_fallback", lambda _delivery_id: None)


@pytest.mark.usefixtures("_bells_are_silent")
@pytest.mark.parametrize(
    "timestamp", [None, "", 1795428012.25, "1795428012000", "2026-11-23", -5, 0, True, 10**11]
)
def test_a_failure_without_a_good_time_is_a_failure(timestamp: object, delivery: Delivery) -> None:
    """P8: it was answered 200 and dropped, so nobody sent the SMS."""
    failed = entry(delivery, "failed", timestamp=timestamp, errors=[{"code": 131026}])

    assert posted(failed).status_code == 200
    assert posted(failed).status_code == 200

    delivery.refresh_from_db()
    assert (delivery.status, delivery.reason) == (Status.FAILED, FailureReason.NOT_ON_CHANNEL)
    assert delivery.due_at is not None  # the next channel is to be seen to
    event = delivery.events.get(status=Status.FAILED)  # a repeat is the same event, whatever its time
    assert event.occurred_at <= event.recorded_at
    assert (event.recorded_at - event.occurred_at).total_seconds() < 5


def test_it_is_looked_at_over_http_as_meta_posts_it(delivery: Delivery, client: Client) -> None:
    """P8: the timestamp left out altogether."""
    made = entry(delivery, "read")
    del made["changes"][0]["value"]["statuses"][0]["timestamp"]

    assert posted(made, client=client).status_code == 200

    delivery.refresh_from_db()
    assert delivery.status == Status.READ
