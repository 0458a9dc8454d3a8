"""The start of a login: a challenge, its first delivery, and the end of the browser's earlier challenge."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from channels.types import Channel, Status
from otp.models import Challenge, Delivery, EndReason
from otp.store.sql import is_postgres, rows


@dataclass(frozen=True, kw_only=True)
class NewChallenge:
    """All values of the two rows. `due_at` None: the delivery is done (a test number)."""

    id: uuid.UUID
    delivery_id: uuid.UUID
    project_id: uuid.UUID
    phone: str
    key_id: str
    code_length: int
    start_key: bytes | None
    is_test: bool
    language: str
    origin: str
    address: str | None
    now: datetime
    expires_at: datetime
    resend_at: datetime
    max_attempts: int
    channel: Channel
    chosen: bool
    sender_id: uuid.UUID | None
    status: Status
    due_at: datetime | None
    replaces: uuid.UUID | None


_START = """
WITH ended AS (
  UPDATE otp_challenge SET ended_at = %(now)s, end_reason = %(restarted)s
  WHERE id = %(replaces)s AND verified_at IS NULL AND ended_at IS NULL RETURNING id
), quiet AS (
  UPDATE otp_delivery SET due_at = NULL FROM ended WHERE challenge_id = ended.id AND due_at IS NOT NULL
), started AS (
  INSERT INTO otp_challenge (id, project_id, purpose, phone, key_id, code_length, start_key, is_test, language, origin,
    address, created_at, expires_at, resend_at, sends, attempts, max_attempts, verified_at, ended_at, end_reason)
  VALUES (%(id)s, %(project_id)s, 'login', %(phone)s, %(key_id)s, %(code_length)s, %(start_key)s, %(is_test)s,
    %(language)s, %(origin)s, %(address)s, %(now)s, %(expires_at)s, %(resend_at)s, 1, 0, %(max_attempts)s,
    NULL, NULL, '')
  ON CONFLICT (start_key) DO NOTHING RETURNING id
), delivery AS (
  INSERT INTO otp_delivery (id, challenge_id, channel, number, cause, chosen, sender_id, status, reason, provider_code,
    provider_message_id, tries, created_at, send_after, due_at, accepted_at, status_at)
  SELECT %(delivery_id)s, started.id, %(channel)s, 1, 'start', %(chosen)s, %(sender_id)s, %(status)s, '', '', '', 0,
    %(now)s, %(now)s, %(due_at)s, NULL, %(now)s FROM started
)
SELECT id FROM started
"""
_WITHOUT_REPLACED = "WITH started AS" + _START.partition("), started AS")[2]


def insert_challenge(new: NewChallenge) -> bool:
    """Write it. False: a challenge with this `start_key` exists already, and nothing was written but the end of
    the replaced one."""
    if is_postgres():
        parameters = {**vars(new), "restarted": EndReason.RESTARTED.value}
        parameters |= {"channel": new.channel.value, "status": int(new.status)}
        return bool(rows(_START if new.replaces else _WITHOUT_REPLACED, parameters))
    return _portable(new)


def _portable(new: NewChallenge) -> bool:
    with transaction.atomic():
        if new.replaces:
            open_ones = Challenge.objects.filter(id=new.replaces, verified_at=None, ended_at=None)
            if open_ones.update(ended_at=new.now, end_reason=EndReason.RESTARTED):
                Delivery.objects.filter(challenge_id=new.replaces).update(due_at=None)
        try:
            with transaction.atomic():
                Challenge.objects.create(
                    **{
                        name: getattr(new, name)
                        for name in (
                            "id", "project_id", "phone", "key_id", "code_length", "start_key", "is_test", "language",
                            "origin", "address", "expires_at", "resend_at", "max_attempts",
                        )
                    },
                    created_at=new.now,
                )  # fmt: skip
        except IntegrityError:
            if new.start_key and Challenge.objects.filter(start_key=new.start_key).exists():
                return False
            raise
        Delivery.objects.create(
            id=new.delivery_id,
            challenge_id=new.id,
            channel=new.channel,
            chosen=new.chosen,
            sender_id=new.sender_id,
            status=new.status,
            created_at=new.now,
            send_after=new.now,
            due_at=new.due_at,
            status_at=new.now,
        )
    return True
