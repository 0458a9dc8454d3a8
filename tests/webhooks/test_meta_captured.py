"""What a Meta webhook says: every captured body."""

import pytest

from tests.fixtures.load import compact, load, names
from tests.webhooks.support import FIXTURE_SENDERS, items

# File → statuses, disavowals, kinds of notices.
EXPECTED: dict[str, tuple[list[str], int, list[str]]] = {
    "account-update-restriction": ([], 0, ["account_update"]),
    "batch": (["read", "sent", "delivered", "failed:not_on_channel", "delivered", "delivered"], 0, []),
    "delivered": (["delivered"], 0, []),
    "delivered-auth-international": (["delivered"], 0, []),
    "delivered-identity-hash": (["delivered"], 0, []),
    "delivered-then-failed-same-message": (["delivered", "failed:not_on_channel"], 0, []),
    "delivered-v26-contacts": (["delivered"], 0, []),
    "failed-131026": (["failed:not_on_channel"], 0, []),
    "failed-131026-v26-contacts": (["failed:not_on_channel"], 0, []),
    "failed-131049": (["failed:refused"], 0, []),
    "failed-132015-after-hold": (["failed:template_paused"], 0, []),
    "failed-137000-identity-mismatch": (["failed:identity_changed"], 0, []),
    "incoming-did-not-request-code": ([], 1, []),
    "incoming-system-user-changed-number": ([], 0, []),
    "incoming-text": ([], 0, []),
    "incoming-text-v26-user-id": ([], 0, []),
    "incoming-unsupported": ([], 0, []),
    "phone-number-quality-update": ([], 0, ["phone_number_quality_update"]),
    "read": (["read"], 0, []),
    "read-v26-contacts": (["read"], 0, []),
    "sent": (["sent"], 0, []),
    "sent-v23-conversation": (["sent"], 0, []),
    "sent-v26-contacts": (["sent"], 0, []),
    "template-quality-update": ([], 0, ["message_template_quality_update"]),
    "template-status-update-approved": ([], 0, ["message_template_status_update"]),
    "template-status-update-disabled": ([], 0, ["message_template_status_update"]),
    "template-status-update-paused": ([], 0, ["message_template_status_update"]),
    "value-errors-130429": ([], 0, ["errors"]),
}


def test_every_captured_body_is_tried() -> None:
    assert {name.removeprefix("webhooks/").removesuffix(".json") for name in names("webhooks")} == set(
        EXPECTED
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_each_captured_body(name: str) -> None:
    statuses, disavowals, notices = EXPECTED[name]

    found = items(compact(load(f"webhooks/{name}.json")), FIXTURE_SENDERS)

    words = [
        f"{update.status.word}:{update.reason}" if update.reason else update.status.word
        for update in found.updates
    ]
    assert words == statuses
    assert len(found.disavowals) == disavowals
    assert [notice.kind for notice in found.notices] == notices
    assert found.left_out == {}


def test_a_batch_keeps_its_numbers_apart() -> None:
    found = items(compact(load("webhooks/batch.json")), FIXTURE_SENDERS)

    first, second, other = (sender.id for sender in FIXTURE_SENDERS)
    assert [update.sender_ids for update in found.updates] == [
        *[(first,)] * 3,
        (second,),
        *[(other,)] * 2,
    ]
