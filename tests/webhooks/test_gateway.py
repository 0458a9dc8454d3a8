"""The HTTP gateway's reports: whose they are, what they say, and `/sms/http/status` as a gateway calls it."""

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from channels.models import Sender, SenderReports
from channels.providers.gateway import REASONS
from channels.types import FailureReason, Status
from tests import factories
from tests.channels.support import DELIVERY_ID, gateway_sender
from tests.webhooks.conftest import HandedOver
from tests.webhooks.contract import WebhookContract
from tests.webhooks.support import gateway_signature
from webhooks import http as gateway
from webhooks.errors import Malformed, Unreadable, Untrusted

PATH = "/sms/http/status"
SECRET, OLD_SECRET, OTHER_SECRET = "signing-secret-of-acme", "the-secret-before", "secret-of-the-other"
NOW = datetime(2026, 11, 23, 10, 0, 30, tzinfo=UTC)
AT = int(NOW.timestamp())
IDS = (uuid.uuid4(),)
F = FailureReason
REPORT: dict[str, Any] = {"id": str(DELIVERY_ID), "status": "delivered", "at": AT - 2}
BODY = json.dumps(REPORT).encode()


# What it says -----------------------------------------------------------------------------------------


def translated(**fields: Any) -> Any:
    return gateway.translate(REPORT | fields, sender_ids=IDS, now=NOW)


@pytest.mark.parametrize(
    ("word", "error", "expected"),
    [
        ("sent", None, (Status.SENT, None, "")),
        ("delivered", None, (Status.DELIVERED, None, "")),
        ("delivered", "unreachable", (Status.DELIVERED, None, "")),
        ("failed", None, (Status.FAILED, F.UNKNOWN, "")),
        ("failed", "unreachable", (Status.FAILED, F.UNREACHABLE, "unreachable")),
        ("failed", "recipient_opted_out", (Status.FAILED, F.BLOCKED_BY_USER, "recipient_opted_out")),
        ("failed", "solar_flare", (Status.FAILED, F.UNKNOWN, "solar_flare")),
        ("expired", None, (Status.FAILED, F.UNREACHABLE, "")),
        ("expired", "not_mobile", (Status.FAILED, F.NOT_ON_CHANNEL, "not_mobile")),
        ("expired", "solar_flare", (Status.FAILED, F.UNREACHABLE, "solar_flare")),
    ],
)
def test_each_word_has_its_meaning(word: str, error: str | None, expected: tuple[Any, ...]) -> None:
    update = translated(status=word, error=error)

    assert (update.status, update.reason, update.provider_code) == expected
    assert (update.delivery_id, update.sender_ids) == (str(DELIVERY_ID), IDS)
    assert update.occurred_at == NOW - timedelta(seconds=2)


@pytest.mark.parametrize("word", list(REASONS))
def test_a_report_fails_for_the_reasons_of_an_answer(word: str) -> None:
    """One table for both: a gateway need not know when it learned of a failure."""
    update = translated(status="failed", error=word)

    assert (update.reason, update.provider_code) == (REASONS[word], word)


@pytest.mark.parametrize(
    "error", [7, [], {}, "", "85251234567", "x" * 21, "two words", "NOT_MOBILE", "a\x00b"]
)
def test_what_is_no_word_is_not_stored(error: object) -> None:
    """It could hold the number."""
    update = translated(status="failed", error=error)

    assert (update.reason, update.provider_code) == (F.UNKNOWN, "")


@pytest.mark.parametrize("word", ["queued", "accepted", "DELIVERED", "", None, 7, ["delivered"], {}])
def test_an_unknown_status_is_unreadable(word: object) -> None:
    with pytest.raises(Unreadable):
        translated(status=word)


@pytest.mark.parametrize("delivery", [None, "", 7, "gw-1", [str(DELIVERY_ID)], "a\x00b", f"{DELIVERY_ID}0"])
def test_a_report_of_no_delivery_is_unreadable(delivery: object) -> None:
    with pytest.raises(Unreadable):
        translated(id=delivery)


@pytest.mark.parametrize(
    "at",
    [None, "", "yesterday", str(AT), True, [], AT + 1, AT - 31 * 86_400, 0, -1, 10**400, 1e308, float("nan"),
     float("inf"), float("-inf")],
    ids=str,
)  # fmt: skip
def test_without_a_time_that_can_be_right_that_of_arrival_counts(at: object) -> None:
    assert translated(at=at).occurred_at == NOW


@pytest.mark.parametrize("at", [AT, AT - 0.25, AT - 29 * 86_400])
def test_a_time_that_can_be_right_counts(at: float) -> None:
    assert translated(at=at).occurred_at == datetime.fromtimestamp(at, UTC)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 10_000])
def test_what_is_no_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        gateway.read(body)


# Whose it is ------------------------------------------------------------------------------------------


def authenticate(header: str, body: bytes = BODY, **fields: Any) -> tuple[uuid.UUID, ...]:
    sender = gateway_sender(**({"signing_secrets": (SECRET, OLD_SECRET)} | fields))
    return gateway.authenticate(body, header=header, senders=[sender], now=NOW)


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
@pytest.mark.parametrize("age", [0, 300, -300])
def test_both_secrets_count_within_five_minutes(secret: str, age: int) -> None:
    assert len(authenticate(gateway_signature(secret, BODY, at=AT - age))) == 1


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (gateway_signature(OTHER_SECRET, BODY, at=AT), "wrong_signature"),
        (gateway_signature("", BODY, at=AT), "wrong_signature"),
        (gateway_signature(SECRET, b"another body", at=AT), "wrong_signature"),
        (gateway_signature(SECRET, BODY, at=AT).replace(f"t={AT}", f"t={AT - 1}"), "wrong_signature"),
        (gateway_signature(SECRET, BODY, at=AT).replace("t=", "t=00"), "wrong_signature"),
        (gateway_signature(SECRET, BODY, at=AT - 301), "old_signature"),
        (gateway_signature(SECRET, BODY, at=AT + 301), "old_signature"),
        (gateway_signature(SECRET, BODY, at=999_999_999_999), "old_signature"),
    ],
)
def test_what_is_not_signed_over_this_body_lately_is_refused(header: str, why: str) -> None:
    assert gateway.WEBHOOK.signature.fullmatch(header)
    with pytest.raises(Untrusted) as caught:
        authenticate(header)

    assert caught.value.why == why


def test_all_senders_of_a_secret_are_trusted_and_no_other() -> None:
    senders = [gateway_sender(), gateway_sender(signing_secrets=(OTHER_SECRET, SECRET)), gateway_sender(
        signing_secrets=(OTHER_SECRET,)
    )]  # fmt: skip

    trusted = gateway.authenticate(
        BODY, header=gateway_signature(SECRET, BODY, at=AT), senders=senders, now=NOW
    )

    assert trusted == (senders[0].id, senders[1].id)


@pytest.mark.parametrize("senders", [[], [gateway_sender(signing_secrets=())]])
def test_without_a_secret_nothing_is_trusted(senders: list[Any]) -> None:
    with pytest.raises(Untrusted):
        gateway.authenticate(BODY, header=gateway_signature("", BODY, at=AT), senders=senders, now=NOW)


# The view ---------------------------------------------------------------------------------------------


def make_sender(**fields: Any) -> Sender:
    defaults: dict[str, Any] = {
        "provider": "http",
        "url": "https://gateway.example/send",
        "signing_secret": SECRET,
        "signing_secret_previous": OLD_SECRET,
    }
    return factories.make_sender("sms", **(defaults | fields))


def post(
    body: bytes = BODY,
    *,
    secret: str = SECRET,
    age: int = 0,
    header: str | None = None,
    client: Client | None = None,
) -> Any:
    if header is None:
        header = gateway_signature(secret, body, at=int(time.time()) - age)
    headers = {"X-Authsvc-Signature": header} if header else {}
    return (client or Client()).post(PATH, body, content_type="application/json", headers=headers)


@pytest.mark.django_db
def test_without_a_gateway_a_post_asks_the_database_for_nothing() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert post(json.dumps(REPORT).encode(), secret="whatever").status_code == 401

    assert not [query for query in queries if "otp_delivery" in query["sql"]]


class TestContract(WebhookContract):
    path = PATH
    secret = SECRET
    previous_secret = OLD_SECRET
    too_large = 17_000
    foreign_status = 401
    private = (str(DELIVERY_ID),)

    def make_senders(self) -> None:
        make_sender()
        project = factories.make_project(senders=False)
        make_sender(
            project_id=project.id, provider="vonage", api_key="abcd1234", signature_secret=OTHER_SECRET
        )

    def post(self, *, secret: str | None = None, signature: str | None = None, **kinds: Any) -> Any:
        """A foreign one is signed with the secret of another provider's sender."""
        body = json.dumps(REPORT | ({"id": str(uuid.uuid4())} if kinds.get("unknown") else {})).encode()
        secret = OTHER_SECRET if kinds.get("foreign") else secret or self.secret
        return post(body, secret=secret, header=signature, client=self.client)

    def post_raw(self, body: bytes) -> Any:
        return post(body, client=self.client)


@pytest.mark.django_db
@pytest.mark.parametrize("changes", [{"status": "unheard_of"}, {"id": None}, {"id": "gw-1"}])
def test_an_unreadable_report_is_taken_counted_and_dropped(
    changes: dict[str, Any], handed_over: HandedOver
) -> None:
    sender = make_sender()

    assert post(json.dumps(REPORT | changes).encode()).status_code == 200
    assert handed_over.nothing
    assert SenderReports.objects.get(sender=sender).reported_at is not None


@pytest.mark.django_db
def test_nothing_of_a_body_is_parsed_before_it_is_authenticated(
    handed_over: HandedOver, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sender()
    monkeypatch.setattr(gateway, "read", lambda _body: pytest.fail("it was parsed"))

    assert post(secret=OTHER_SECRET).status_code == 401
    assert post(b"[" * 10_000, secret=OTHER_SECRET).status_code == 401
    assert post(age=301).status_code == 401


@pytest.mark.django_db
def test_a_sender_that_is_switched_off_is_believed_no_more(handed_over: HandedOver) -> None:
    make_sender(is_active=False)

    assert post().status_code == 401
    assert handed_over.nothing
