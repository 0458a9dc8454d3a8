"""`/sms/twilio/status` as Twilio calls it (docs/contract.md, section 7)."""

import uuid
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from structlog.testing import capture_logs

from channels.models import Sender
from channels.types import FailureReason, Status
from tests import factories
from tests.webhooks.conftest import HandedOver
from tests.webhooks.contract import WebhookContract
from tests.webhooks.support import twilio_signature

pytestmark = pytest.mark.django_db

PATH = "/sms/twilio/status"
ACCOUNT, OTHER_ACCOUNT = "AC00000000000000000000000000000001", "AC00000000000000000000000000000002"
TOKEN, OLD_TOKEN = "0123456789abcdef0123456789abcdef", "the token before"
FORM = {
    "ApiVersion": "2010-04-01",
    "AccountSid": ACCOUNT,
    "From": "+15550100888",
    "To": "+525550100123",
    "MessageSid": "SMc4ca4238a0b923820dcc509a6f75849b",
    "MessageStatus": "delivered",
    "MessagingServiceSid": "",
}


def make_sender(**fields: Any) -> Sender:
    defaults: dict[str, Any] = {
        "provider": "twilio",
        "account_sid": ACCOUNT,
        "auth_token": TOKEN,
        "auth_token_previous": OLD_TOKEN,
        "from_number": "+15550100888",
    }
    return factories.make_sender("sms", **(defaults | fields))


def post(
    form: dict[str, str],
    *,
    query: str = "",
    token: str = TOKEN,
    signature: str | None = None,
    origin: str = "http://testserver",
    client: Client | None = None,
) -> Any:
    header = twilio_signature(token, f"{origin}{PATH}{query}", form) if signature is None else signature
    headers = {"X-Twilio-Signature": header} if header else {}
    return (client or Client()).post(
        PATH + query, urlencode(form), content_type="application/x-www-form-urlencoded", headers=headers
    )


class TestContract(WebhookContract):
    path = PATH
    secret = TOKEN
    previous_secret = OLD_TOKEN
    too_large = 70_000
    foreign_status = 401
    private = ("+525550100123", "525550100123", FORM["MessageSid"])

    def make_senders(self) -> None:
        make_sender()
        project = factories.make_project(senders=False)
        make_sender(project_id=project.id, account_sid=OTHER_ACCOUNT, auth_token="another token")

    def post(self, *, secret: str | None = None, signature: str | None = None, **kinds: Any) -> Any:
        form = FORM | ({"MessageSid": "SM0"} if kinds.get("unknown") else {})
        form |= {"AccountSid": OTHER_ACCOUNT} if kinds.get("foreign") else {}
        return post(form, token=secret or self.secret, signature=signature, client=self.client)

    def post_raw(self, body: bytes) -> Any:
        return self.client.post(PATH, body, content_type="application/x-www-form-urlencoded")


@pytest.fixture
def sender(db: None) -> Sender:
    return make_sender()


def test_the_callback_names_its_delivery(sender: Sender, handed_over: HandedOver) -> None:
    delivery_id = uuid.uuid4()

    assert post(FORM, query=f"?delivery={delivery_id}").status_code == 200

    ((update,),) = handed_over.updates
    assert update.delivery_id == str(delivery_id)
    assert update.sender_ids == (sender.id,)
    assert update.status is Status.DELIVERED


def test_the_delivery_is_signed_along(sender: Sender, handed_over: HandedOver) -> None:
    """D7: a genuine callback cannot be pointed at another delivery."""
    signature = twilio_signature(TOKEN, f"http://testserver{PATH}?delivery={uuid.uuid4()}", FORM)

    assert post(FORM, query=f"?delivery={uuid.uuid4()}", signature=signature).status_code == 401
    assert handed_over.nothing


def test_a_failure_has_its_reason(sender: Sender, handed_over: HandedOver) -> None:
    post(FORM | {"MessageStatus": "undelivered", "ErrorCode": "30450"})

    ((update,),) = handed_over.updates
    assert (update.status, update.reason) == (Status.FAILED, FailureReason.FRAUD_BLOCKED)


@pytest.mark.parametrize("word", ["queued", "accepted", "sending", "brand_new"])
def test_what_tells_nothing_new_is_taken_and_dropped(
    word: str, sender: Sender, handed_over: HandedOver
) -> None:
    assert post(FORM | {"MessageStatus": word}).status_code == 200
    assert handed_over.nothing


def test_a_callback_without_a_message_is_taken_counted_and_dropped(
    sender: Sender, handed_over: HandedOver
) -> None:
    with capture_logs() as logs:
        assert post(FORM | {"MessageSid": ""}).status_code == 200

    assert handed_over.nothing
    assert [(line["event"], line["why"], line["count"]) for line in logs] == [
        ("webhook.left_out", "unreadable", 1)
    ]


def test_behind_a_proxy_the_public_url_is_what_is_signed(
    sender: Sender, handed_over: HandedOver, settings: Any
) -> None:
    settings.AUTHSVC_PUBLIC_URL = "https://login.acme.example"

    assert post(FORM, query="?delivery=x&y=%20z", origin="https://login.acme.example").status_code == 200
    assert post(FORM, origin="http://testserver").status_code == 401


def test_a_host_that_is_not_ours_is_no_url(sender: Sender, handed_over: HandedOver) -> None:
    response = Client().post(
        PATH, urlencode(FORM), "application/x-www-form-urlencoded", headers={"Host": "evil"}
    )

    assert response.status_code == 400
    assert handed_over.nothing


def test_text_beyond_ascii_is_signed_as_sent(sender: Sender, handed_over: HandedOver) -> None:
    assert post(FORM | {"ErrorMessage": "número ✓ & = +"}).status_code == 200


@pytest.mark.parametrize(("count", "status"), [(100, 200), (101, 400), (5_000, 400)])
def test_the_fields_of_a_form_are_counted_before_it_is_read(
    count: int, status: int, sender: Sender, handed_over: HandedOver
) -> None:
    """P4: for the kind. A form has to be read before its signature can be checked, so it is a small one."""
    form = FORM | {str(number): "" for number in range(count - len(FORM))}
    assert post(form).status_code == status
    assert handed_over.nothing is (status != 200)


def test_reading_is_not_for_browsers(client: Client) -> None:
    assert client.get(PATH).status_code == 405
