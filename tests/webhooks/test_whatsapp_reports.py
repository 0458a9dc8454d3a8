"""`/whatsapp/webhook`: signed reports are handed over, bounded in size, and move their deliveries."""

import time
from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from channels.models import Sender
from channels.types import Status
from otp import services
from tests import factories
from tests.fixtures.load import compact, load
from tests.webhooks import support
from tests.webhooks.conftest import HandedOver
from tests.webhooks.support import signed
from tests.webhooks.whatsapp import PATH, make_sender, post
from webhooks.meta import WEBHOOK
from webhooks.views import view_of

pytestmark = pytest.mark.django_db


# Reports --------------------------------------------------------------------------------------------


@pytest.fixture
def sender(db: None) -> Sender:
    return make_sender()


def test_a_report_names_its_sender_and_its_delivery(sender: Sender, handed_over: HandedOver) -> None:
    delivery_id = "01890000-0000-7000-8000-00000000abcd"

    post(support.reporting(support.status(biz_opaque_callback_data=delivery_id)))

    ((update,),) = handed_over.updates
    assert update.sender_ids == (sender.id,)
    assert update.delivery_id == delivery_id


def test_a_disavowal_is_handed_over(sender: Sender, handed_over: HandedOver) -> None:
    assert post(compact(load("webhooks/incoming-did-not-request-code.json"))).status_code == 200

    ((disavowal,),) = handed_over.disavowals
    assert disavowal.provider_message_id == support.WAMID
    assert handed_over.updates == []


@pytest.mark.parametrize(
    "name", ["incoming-text", "incoming-unsupported", "incoming-system-user-changed-number"]
)
def test_what_we_have_no_use_for_is_taken_and_dropped(
    name: str, sender: Sender, handed_over: HandedOver
) -> None:
    with capture_logs() as logs:
        assert post(compact(load(f"webhooks/{name}.json"))).status_code == 200

    assert handed_over.nothing
    assert logs == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("template-status-update-paused", "message_template_status_update"),
        ("account-update-restriction", "account_update"),
        ("value-errors-130429", "errors"),
    ],
)
def test_what_the_operator_must_see_is_a_warning(
    name: str, kind: str, sender: Sender, handed_over: HandedOver
) -> None:
    with capture_logs() as logs:
        assert post(compact(load(f"webhooks/{name}.json"))).status_code == 200

    (entry,) = [line for line in logs if line["event"] == "whatsapp.notice"]
    assert (entry["event"], entry["kind"], entry["log_level"]) == ("whatsapp.notice", kind, "warning")
    assert "1555010" not in str(entry)


def test_broken_items_are_counted_without_their_content(sender: Sender, handed_over: HandedOver) -> None:
    with capture_logs() as logs:
        response = post(support.reporting({"id": None, "status": "read"}, None, support.status("sent")))

    assert response.status_code == 200
    assert [len(updates) for updates in handed_over.updates] == [1]
    assert logs == [
        {
            "event": "webhook.left_out",
            "provider": "meta",
            "why": "unreadable",
            "count": 2,
            "log_level": "warning",
        },
    ]


@pytest.mark.parametrize("body", [b"", b"not json", b"{", b"\xff", b"[" * 200_000, b'{"a":' * 200_000])
@pytest.mark.parametrize(("secret", "status"), [(support.SECRET, 400), ("guessed", 401)])
def test_what_is_signed_and_not_json_is_400(
    body: bytes, secret: str, status: int, sender: Sender, handed_over: HandedOver
) -> None:
    assert post(body, secret=secret).status_code == status
    assert handed_over.nothing


def test_three_megabytes_are_taken(sender: Sender, handed_over: HandedOver) -> None:
    """Meta sends as much."""
    body = support.reporting(support.status(padding="x" * 3_000_000))

    assert post(body).status_code == 200
    assert handed_over.updates


@pytest.mark.parametrize(("size", "status"), [(4 * 1024 * 1024, 200), (4 * 1024 * 1024 + 1, 413)])
def test_the_limit_to_the_byte(size: int, status: int, sender: Sender, handed_over: HandedOver) -> None:
    body = support.reporting(support.status())
    body += b" " * (size - len(body))

    assert post(body).status_code == status


def test_a_body_without_a_length_is_bounded_too(sender: Sender) -> None:
    """D10: an ASGI server hands chunked bodies over as they come."""
    scope = {"type": "http", "method": "POST", "path": PATH, "headers": [], "query_string": b""}

    request = ASGIRequest(scope, BytesIO(b" " * 5_000_000))
    request.META["HTTP_X_HUB_SIGNATURE_256"] = "sha256=" + "0" * 64

    assert view_of(WEBHOOK)(request).status_code == 413


def chunked(body: bytes, **environ: Any) -> Any:
    """As a WSGI server hands over a body that announced no length: it marks the end by itself."""
    request = RequestFactory().generic(
        "POST", PATH, b"", "application/json", headers={"X-Hub-Signature-256": signed(body)}
    )
    request.META |= {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True} | environ
    return view_of(WEBHOOK)(request)


@pytest.mark.parametrize(("size", "status"), [(0, 200), (4 * 1024 * 1024 + 1, 413), (20_000_000, 413)])
def test_a_chunked_body_is_read_and_bounded(
    size: int, status: int, sender: Sender, handed_over: HandedOver
) -> None:
    """P4: Django takes it for an empty one."""
    body = support.reporting(support.status())
    body += b" " * (size - len(body))

    assert chunked(body).status_code == status
    assert handed_over.nothing is (status != 200)


def test_a_server_that_does_not_mark_the_end_is_not_waited_for(
    sender: Sender, handed_over: HandedOver
) -> None:
    """Reading its stream would hang: without a length the body is empty there."""
    stream = BytesIO(support.reporting(support.status()))

    response = chunked(
        support.reporting(support.status()), **{"wsgi.input": stream, "wsgi.input_terminated": False}
    )

    assert (response.status_code, stream.tell()) == (401, 0)


def test_an_inactive_sender_is_nobody(handed_over: HandedOver) -> None:
    make_sender(is_active=False)

    assert post(support.reporting(support.status())).status_code == 401


def test_a_rotated_secret_acts_at_once(sender: Sender, handed_over: HandedOver) -> None:
    body = support.reporting(support.status())
    assert post(body).status_code == 200

    sender.secrets |= {"app_secret": "brand new", "app_secret_previous": ""}
    sender.save()

    assert post(body).status_code == 401
    assert post(body, secret="brand new").status_code == 200


def test_a_forger_costs_no_more_than_one_look_at_the_version(sender: Sender, handed_over: HandedOver) -> None:
    """D10: senders are in memory."""
    post(support.reporting(support.status()))

    with CaptureQueriesContext(connection) as queries:
        post(support.reporting(support.status()), signature="")

    assert len(queries) <= 1


def test_a_thousand_updates_are_one_call_and_quick(sender: Sender, handed_over: HandedOver) -> None:
    """D10."""
    body = support.reporting(*[support.status(id=f"wamid.{number}") for number in range(1000)])
    post(support.reporting(support.status()))  # senders are in memory from here on
    began = time.thread_time()  # what the machine does beside it does not count

    assert post(body).status_code == 200

    assert time.thread_time() - began < 1
    assert [len(updates) for updates in handed_over.updates] == [1, 1000]


# With the real store --------------------------------------------------------------------------------


@pytest.fixture
def delivery(sender: Sender) -> Any:
    from otp.models import Delivery

    project = factories.make_project(senders=False)
    services.start_challenge(
        project=project,
        phone=factories.phone(),
        language="en",
        origin=factories.ORIGIN,
        address=factories.ADDRESS,
    )
    return Delivery.objects.get()


def about(delivery: Any, word: str) -> bytes:
    return support.reporting(support.status(word, biz_opaque_callback_data=str(delivery.id)))


def test_a_report_moves_its_delivery(delivery: Any) -> None:
    assert post(about(delivery, "delivered")).status_code == 200

    delivery.refresh_from_db()
    assert delivery.status == Status.DELIVERED
    assert delivery.provider_message_id == support.WAMID


def test_replays_are_one_event(delivery: Any) -> None:
    """D8."""
    for _ in range(20):
        assert post(about(delivery, "delivered")).status_code == 200

    assert delivery.events.filter(status=Status.DELIVERED).count() == 1


def test_a_forged_report_moves_nothing(delivery: Any) -> None:
    """D7."""
    body = about(delivery, "failed")
    assert post(body, secret="guessed").status_code == 401
    assert post(body, signature="").status_code == 401

    delivery.refresh_from_db()
    assert delivery.status == Status.QUEUED


def test_a_genuine_report_of_another_sender_moves_nothing(delivery: Any) -> None:
    """D7: with the right secret of its own account, about a delivery that is not its."""
    project = factories.make_project(senders=False, slug="other", is_default=False)
    make_sender(
        project_id=project.id,
        phone_number_id=support.OTHER_NUMBER,
        business_account_id=support.OTHER_ACCOUNT,
        app_secret="of another app",
    )
    status = support.status("failed", biz_opaque_callback_data=str(delivery.id))
    body = compact(
        support.payload(
            support.change(support.OTHER_NUMBER, statuses=[status]), account=support.OTHER_ACCOUNT
        )
    )

    assert post(body, secret="of another app").status_code == 200

    delivery.refresh_from_db()
    assert delivery.status == Status.QUEUED
