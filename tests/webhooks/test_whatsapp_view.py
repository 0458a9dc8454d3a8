"""`/whatsapp/webhook` as Meta calls it (interface.md section 7)."""

import time
from io import BytesIO
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from channels.models import Sender
from channels.types import Status
from otp import services
from tests import factories
from tests.fixtures.load import compact, load
from tests.webhooks import support
from tests.webhooks.conftest import HandedOver
from tests.webhooks.contract import WebhookContract
from tests.webhooks.support import signed
from webhooks import views

pytestmark = pytest.mark.django_db

PATH = "/whatsapp/webhook"


def make_sender(**fields: Any) -> Sender:
    defaults: dict[str, Any] = {
        "provider": "meta",
        "phone_number_id": support.NUMBER,
        "business_account_id": support.ACCOUNT,
        "app_secret": support.SECRET,
        "app_secret_previous": support.OTHER_SECRET,
        "verify_token": "our verify token",
    }
    return factories.make_sender("whatsapp", **(defaults | fields))


def post(
    body: bytes, *, signature: str | None = None, secret: str = support.SECRET, client: Client | None = None
) -> Any:
    header = signed(body, secret) if signature is None else signature
    headers = {"X-Hub-Signature-256": header} if header else {}
    return (client or Client()).post(PATH, body, content_type="application/json", headers=headers)


class TestContract(WebhookContract):
    path = PATH
    secret = support.SECRET
    previous_secret = support.OTHER_SECRET
    too_large = 5_000_000
    private = (support.WAMID, "5215550100123")

    def make_senders(self) -> None:
        make_sender()
        project = factories.make_project(senders=False)
        make_sender(
            project_id=project.id,
            phone_number_id=support.OTHER_NUMBER,
            business_account_id=support.OTHER_ACCOUNT,
            app_secret="of another app",
            app_secret_previous="",
        )

    def post(self, *, secret: str | None = None, signature: str | None = None, **kinds: Any) -> Any:
        status = support.status(id="wamid.nobodys") if kinds.get("unknown") else support.status()
        body = compact(
            support.payload(
                support.change(
                    support.OTHER_NUMBER if kinds.get("foreign") else support.NUMBER, statuses=[status]
                ),
                account=support.OTHER_ACCOUNT if kinds.get("foreign") else support.ACCOUNT,
            )
        )
        return post(body, secret=secret or self.secret, signature=signature, client=self.client)

    def post_raw(self, body: bytes) -> Any:
        return post(body, client=self.client)


# Verification ---------------------------------------------------------------------------------------


def verify(client: Client, **changed: str) -> Any:
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": "1839204471",
        "hub.verify_token": "our verify token",
    } | {f"hub.{name}": value for name, value in changed.items()}
    return client.get(PATH, query)


def test_the_challenge_is_the_whole_answer(client: Client) -> None:
    make_sender()

    response = verify(client)

    assert (response.status_code, response.content) == (200, b"1839204471")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert not response.cookies


def test_the_token_of_any_active_sender_will_do(client: Client) -> None:
    make_sender(verify_token="another")
    for number, token in enumerate(("our verify token", "a third", "sérvice ✓")):
        project = factories.make_project(senders=False, slug=f"p{number}", is_default=False)
        make_sender(project_id=project.id, verify_token=token)

    assert verify(client).status_code == 200
    assert verify(client, verify_token="another").status_code == 200
    assert verify(client, verify_token="sérvice ✓").status_code == 200
    assert verify(client, verify_token="a fourth").status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"verify_token": ""},
        {"verify_token": "wrong"},
        {"verify_token": "our verify token "},
        {"verify_token": "x" * 3000},
        {"mode": ""},
        {"mode": "unsubscribe"},
    ],
)
def test_anything_else_is_forbidden_and_not_reflected(client: Client, changed: dict[str, str]) -> None:
    make_sender()

    response = verify(client, **changed)

    assert (response.status_code, response.content) == (403, b"")


def test_nothing_at_all_is_forbidden(client: Client) -> None:
    make_sender()

    assert client.get(PATH).status_code == 403


@pytest.mark.parametrize(
    "fields", [{"is_active": False}, {"verify_token": ""}, {"provider": "memory"}, {"verify_token": "x"}]
)
def test_a_sender_without_that_token_verifies_nothing(client: Client, fields: dict[str, Any]) -> None:
    make_sender(**fields)

    assert verify(client).status_code == 403
    assert verify(client, verify_token="").status_code == 403


def test_markup_comes_back_as_plain_text(client: Client) -> None:
    make_sender()

    response = verify(client, challenge="<script>alert(1)</script>")

    assert response["Content-Type"].startswith("text/plain")


def test_an_endless_challenge_is_not_reflected(client: Client) -> None:
    make_sender()

    assert verify(client, challenge="9" * 257).status_code == 400


# Reports --------------------------------------------------------------------------------------------


@pytest.fixture
def sender(db: None) -> Sender:
    return make_sender()


def test_a_report_names_its_sender_and_its_delivery(sender: Sender, handed_over: HandedOver) -> None:
    delivery_id = "01890000-0000-7000-8000-00000000abcd"

    post(support.reporting(support.status(biz_opaque_callback_data=delivery_id)))

    ((update,),) = handed_over.updates
    assert update.sender_ids == (sender.id,)
    assert str(update.delivery_id) == delivery_id


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

    (entry,) = logs
    assert (entry["event"], entry["kind"], entry["log_level"]) == ("whatsapp.notice", kind, "warning")
    assert "1555010" not in str(entry)


def test_broken_items_are_counted_without_their_content(sender: Sender, handed_over: HandedOver) -> None:
    with capture_logs() as logs:
        response = post(
            support.reporting({"id": support.WAMID, "status": "read"}, None, support.status("sent"))
        )

    assert response.status_code == 200
    assert [len(updates) for updates in handed_over.updates] == [1]
    assert logs == [
        {"event": "webhook.unreadable_items", "path": PATH, "count": 2, "log_level": "warning"},
    ]


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"object": "page", "entry": []}', b"[" * 200_000])
@pytest.mark.parametrize("signature", ["", None])
def test_what_is_not_json_is_400_signed_or_not(
    body: bytes, signature: str | None, sender: Sender, handed_over: HandedOver
) -> None:
    assert post(body, signature=signature).status_code == 400
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

    response = views.whatsapp(ASGIRequest(scope, BytesIO(b" " * 5_000_000)))

    assert response.status_code == 413


def test_an_inactive_sender_is_nobody(handed_over: HandedOver) -> None:
    make_sender(is_active=False)

    assert post(support.reporting(support.status())).status_code == 401


def test_a_rotated_secret_acts_at_once(sender: Sender, handed_over: HandedOver) -> None:
    body = support.reporting(support.status())
    assert post(body).status_code == 200

    sender.app_secret, sender.app_secret_previous = "brand new", ""
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
    began = time.monotonic()

    assert post(body).status_code == 200

    assert time.monotonic() - began < 0.5
    assert [len(updates) for updates in handed_over.updates] == [1000]


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
