"""Vonage's status webhook: whose it is, what it says, and `/sms/vonage/status` as Vonage calls it."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from channels.models import Sender, SenderReports
from channels.types import FailureReason, Status
from tests import factories
from tests.channels.support import DELIVERY_ID, vonage_sender
from tests.fixtures.load import load, names
from tests.webhooks.conftest import HandedOver
from tests.webhooks.contract import WebhookContract
from tests.webhooks.support import vonage_token
from webhooks import vonage
from webhooks.errors import Malformed, Unreadable, Untrusted

PATH = "/sms/vonage/status"
SECRET = "signature-secret-of-acme-and-long-enough"
OLD_SECRET = "the-signature-secret-before-it-was-rotated"
OTHER_SECRET = "the-signature-secret-of-the-other-account"
UUID = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"
NOW = datetime(2026, 11, 23, 10, 0, 30, tzinfo=UTC)
IDS = (uuid.uuid4(),)
F = FailureReason
EXPECTED: dict[str, tuple[Status, FailureReason | None, str]] = {
    "vonage/status-delivered.json": (Status.DELIVERED, None, ""),
    "vonage/status-rejected-1240.json": (Status.FAILED, F.INVALID_NUMBER, "1240"),
    "vonage/status-submitted.json": (Status.SENT, None, ""),
    "vonage/status-undeliverable-1260.json": (Status.FAILED, F.UNREACHABLE, "1260"),
}
REPORT = load("vonage/status-delivered.json")
BODY = json.dumps(REPORT).encode()


# What it says -----------------------------------------------------------------------------------------


def test_every_captured_report_is_expected() -> None:
    assert names("vonage", "status-") == sorted(EXPECTED)


@pytest.mark.parametrize("name", list(EXPECTED))
def test_a_captured_report_is_translated(name: str) -> None:
    update = vonage.translate(load(name), sender_ids=IDS, now=NOW)

    assert update is not None
    assert (update.status, update.reason, update.provider_code) == EXPECTED[name]
    assert (update.delivery_id, update.provider_message_id) == (str(DELIVERY_ID), UUID)
    assert update.sender_ids == IDS
    assert update.occurred_at == datetime.fromisoformat(load(name)["timestamp"])


@pytest.mark.parametrize("word", ["accepted", "new", "", None, 7, ["delivered"]])
def test_other_statuses_tell_nothing_new(word: object) -> None:
    assert vonage.translate(REPORT | {"status": word}, sender_ids=IDS, now=NOW) is None


@pytest.mark.parametrize("message_id", [None, "", 7, "a\x00b", "x" * 65, "ä"])
def test_a_report_without_a_message_is_unreadable(message_id: object) -> None:
    with pytest.raises(Unreadable):
        vonage.translate(REPORT | {"message_uuid": message_id}, sender_ids=IDS, now=NOW)


@pytest.mark.parametrize(
    "timestamp", [None, 7, "", "yesterday", "2026-11-23T10:00:01", "2031-01-01T00:00:00Z", "2020-01-01T00:00:00Z",
                  "2026-13-45T10:00:01Z"]
)  # fmt: skip
def test_without_a_time_that_can_be_right_that_of_arrival_counts(timestamp: object) -> None:
    update = vonage.translate(REPORT | {"timestamp": timestamp}, sender_ids=IDS, now=NOW)

    assert update is not None
    assert update.occurred_at == NOW


@pytest.mark.parametrize("reference", [None, "", "order-7", 7])
def test_a_report_of_a_message_that_is_not_ours_names_no_delivery(reference: object) -> None:
    update = vonage.translate(REPORT | {"client_ref": reference}, sender_ids=IDS, now=NOW)

    assert update is not None
    assert update.delivery_id is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, ""),
        ("1240", ""),
        ({}, ""),
        ({"type": 7}, ""),
        ({"type": "https://developer.vonage.com/api-errors/messages#9999"}, "9999"),
    ],
)
def test_a_failure_whose_code_is_not_known(error: object, code: str) -> None:
    report = load("vonage/status-rejected-1240.json") | {"error": error}

    update = vonage.translate(report, sender_ids=IDS, now=NOW)

    assert update is not None
    assert (update.reason, update.provider_code) == (F.UNKNOWN, code)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        vonage.read(body)


# Whose it is ------------------------------------------------------------------------------------------


def authenticate(token: str, body: bytes = BODY, **fields: Any) -> tuple[uuid.UUID, ...]:
    return vonage.authenticate(body, signature=token, senders=[vonage_sender(**fields)])


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_both_secrets_count_during_rotation(secret: str) -> None:
    assert len(authenticate(vonage_token(secret, BODY))) == 1


def test_all_senders_of_a_secret_are_trusted_and_no_other() -> None:
    senders = [vonage_sender(), vonage_sender(), vonage_sender(signature_secrets=(OTHER_SECRET,))]

    trusted = vonage.authenticate(BODY, signature=vonage_token(SECRET, BODY), senders=senders)

    assert trusted == (senders[0].id, senders[1].id)


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (vonage_token(OTHER_SECRET, BODY), "wrong_signature"),
        (vonage_token(SECRET, b"another body"), "wrong_signature"),
        (vonage_token(SECRET, BODY, payload_hash=None), "wrong_signature"),
        (vonage_token(SECRET, BODY, payload_hash="ä"), "wrong_signature"),
        (vonage_token(SECRET, BODY, alg="none"), "wrong_signature"),
        (vonage_token(SECRET, BODY, alg="HS512"), "wrong_signature"),
        (vonage_token(SECRET, BODY, exp=1), "wrong_signature"),
        (vonage_token(SECRET, BODY, api_key="another"), "unknown_account"),
        (vonage_token(SECRET, BODY, api_key=""), "unknown_account"),
        ("Basic abc", "no_signature"),
        (f"Bearer {'a' * 20}.{'b' * 20}.{'c' * 43}", "no_signature"),
    ],
)
def test_what_is_not_signed_over_this_body_is_refused(token: str, why: str) -> None:
    with pytest.raises(Untrusted) as caught:
        authenticate(token)

    assert caught.value.why == why


def test_an_account_without_a_secret_trusts_nothing() -> None:
    with pytest.raises(Untrusted):
        authenticate(vonage_token("", BODY), signature_secrets=())


# The view ---------------------------------------------------------------------------------------------


def make_sender(**fields: Any) -> Sender:
    defaults: dict[str, Any] = {
        "provider": "vonage",
        "api_key": "abcd1234",
        "api_secret": "secret",
        "signature_secret": SECRET,
        "signature_secret_previous": OLD_SECRET,
        "from_number": "+15005550006",
    }
    return factories.make_sender("sms", **(defaults | fields))


def post(body: bytes = BODY, *, token: str | None = None, client: Client | None = None) -> Any:
    header = vonage_token(SECRET, body) if token is None else token
    headers = {"Authorization": header} if header else {}
    return (client or Client()).post(PATH, body, content_type="application/json", headers=headers)


class TestContract(WebhookContract):
    path = PATH
    secret = SECRET
    previous_secret = OLD_SECRET
    too_large = 70_000
    foreign_status = 401
    private = ("525550100123", UUID)

    def make_senders(self) -> None:
        make_sender()
        project = factories.make_project(senders=False)
        make_sender(project_id=project.id, api_key="other123", signature_secret=OTHER_SECRET)

    def post(self, *, secret: str | None = None, signature: str | None = None, **kinds: Any) -> Any:
        body = json.dumps(
            REPORT | ({"message_uuid": str(uuid.uuid4())} if kinds.get("unknown") else {})
        ).encode()
        api_key = "other123" if kinds.get("foreign") else "abcd1234"
        token = vonage_token(secret or self.secret, body, api_key=api_key)
        return post(body, token=token if signature is None else signature, client=self.client)

    def post_raw(self, body: bytes) -> Any:
        return post(body, client=self.client)


@pytest.mark.django_db
def test_a_report_without_a_message_is_taken_counted_and_dropped(handed_over: HandedOver) -> None:
    make_sender()

    assert post(json.dumps(REPORT | {"message_uuid": None}).encode()).status_code == 200
    assert handed_over.nothing


@pytest.mark.django_db
def test_a_signature_that_does_not_fit_is_counted_for_the_account_that_it_names(
    handed_over: HandedOver,
) -> None:
    sender = make_sender()

    assert post(token=vonage_token(OTHER_SECRET, BODY)).status_code == 401
    assert SenderReports.objects.get(sender=sender).refused == 1


@pytest.mark.django_db
def test_a_signed_report_shows_that_reports_arrive(handed_over: HandedOver) -> None:
    sender = make_sender()

    assert post().status_code == 200
    assert SenderReports.objects.get(sender=sender).reported_at is not None
