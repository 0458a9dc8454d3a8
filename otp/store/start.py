"""The start of a login: a challenge, its first delivery, and the end of the browser's earlier challenge."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from channels.types import Channel, Status
from otp.models import Challenge, Delivery, EndReason, PhoneRecord
from otp.store.sql import IS_DUE, is_postgres, rows


@dataclass(frozen=True, kw_only=True)
class NewChallenge:
    """All values of the two rows. `due_at` None: the delivery is done (a test number)."""

    id: uuid.UUID
    delivery_id: uuid.UUID
    project_id: uuid.UUID
    purpose: str
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
    # Taken instead when WhatsApp did not know the number since `not_on_whatsapp_since`; None: never.
    other_channel: Channel | None
    other_sender_id: uuid.UUID | None
    not_on_whatsapp_since: datetime
    status: Status
    due_at: datetime | None
    replaces: uuid.UUID | None


_START = f"""
WITH ended AS (
  UPDATE otp_challenge SET ended_at = %(now)s, end_reason = %(restarted)s
  WHERE id = %(replaces)s AND verified_at IS NULL AND ended_at IS NULL RETURNING id
), quiet AS (
  UPDATE otp_delivery SET due_at = NULL FROM ended
  WHERE challenge_id = ended.id AND {IS_DUE.format(due_at="due_at")}
), known AS (
  SELECT true AS missing FROM otp_phonerecord WHERE %(other_channel)s::text IS NOT NULL AND project_id = %(project_id)s
    AND phone = %(phone)s AND not_on_whatsapp_at > %(not_on_whatsapp_since)s
), started AS (
  INSERT INTO otp_challenge (id, project_id, purpose, phone, key_id, code_length, start_key, is_test, language, origin,
    address, created_at, expires_at, resend_at, sends, attempts, max_attempts, verified_at, ended_at, end_reason)
  VALUES (%(id)s, %(project_id)s, %(purpose)s, %(phone)s, %(key_id)s, %(code_length)s, %(start_key)s, %(is_test)s,
    %(language)s, %(origin)s, %(address)s, %(now)s, %(expires_at)s, %(resend_at)s, 1, 0, %(max_attempts)s,
    NULL, NULL, '')
  ON CONFLICT (start_key) DO NOTHING RETURNING id
), delivery AS (
  INSERT INTO otp_delivery (id, challenge_id, channel, number, cause, chosen, sender_id, status, reason, provider_code,
    provider_message_id, tries, created_at, send_after, due_at, accepted_at, status_at)
  SELECT %(delivery_id)s, started.id, CASE WHEN missing THEN %(other_channel)s ELSE %(channel)s END, 1, 'start',
    %(chosen)s, CASE WHEN missing THEN %(other_sender_id)s::uuid ELSE %(sender_id)s::uuid END, %(status)s, '', '', '',
    0, %(now)s, %(now)s, %(due_at)s, NULL, %(now)s FROM started LEFT JOIN known ON true
  RETURNING channel
)
SELECT channel FROM delivery
"""  # noqa: S608 # built from our own constants
_WITHOUT_REPLACED = "WITH known AS" + _START.partition("), known AS")[2]


def insert_challenge(new: NewChallenge) -> Channel | None:
    """Write it: the channel of its first delivery. None: a challenge with this `start_key` exists already, and nothing
    was written but the end of the replaced one."""
    if is_postgres():
        parameters = {
            **vars(new),
            "restarted": EndReason.RESTARTED.value,
            "status": int(new.status),
            "channel": new.channel.value,
            "other_channel": new.other_channel.value if new.other_channel else None,
        }
        found = rows(_START if new.replaces else _WITHOUT_REPLACED, parameters)
        return Channel(found[0][0]) if found else None
    return _portable(new)


def _portable(new: NewChallenge) -> Channel | None:
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
                            "id", "project_id", "purpose", "phone", "key_id", "code_length", "start_key", "is_test",
                            "language", "origin", "address", "expires_at", "resend_at", "max_attempts",
                        )
                    },
                    created_at=new.now,
                )  # fmt: skip
        except IntegrityError:
            if new.start_key and Challenge.objects.filter(start_key=new.start_key).exists():
                return None
            raise
        missing = new.other_channel is not None and PhoneRecord.objects.filter(
            project_id=new.project_id, phone=new.phone, not_on_whatsapp_at__gt=new.not_on_whatsapp_since
        )
        channel = new.other_channel if missing and new.other_channel else new.channel
        Delivery.objects.create(
            id=new.delivery_id,
            challenge_id=new.id,
            channel=channel,
            chosen=new.chosen,
            sender_id=new.other_sender_id if missing else new.sender_id,
            status=new.status,
            created_at=new.now,
            send_after=new.now,
            due_at=new.due_at,
            status_at=new.now,
        )
    return channel
