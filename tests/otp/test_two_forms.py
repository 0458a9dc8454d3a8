"""The statements of PostgreSQL and their portable forms write the same: states are made up, both run, tables compared."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import models, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from channels.models import SenderHealth
from channels.types import Channel, FailureReason, Status, StatusUpdate
from core import sql
from core.ids import new_id
from otp import policy
from otp.models import Challenge, Delivery, DeliveryEvent, PhoneRecord, Purpose
from otp.store import claim, purge, start, state, unreported, updates, verify
from otp.types import Cause, EndReason
from projects.config import ProjectConfig
from tests import factories
from users.models import User

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PHONES = (factories.PHONE, factories.OTHER_PHONE)
IDS = [uuid.UUID(int=nth + 1) for nth in range(4)]
TABLES: tuple[type[models.Model], ...] = (Challenge, Delivery, DeliveryEvent, PhoneRecord, User)
# Counted by the database, or random.
LEFT_OUT = {("deliveryevent", "id"), ("phonerecord", "id"), ("user", "session_salt"), ("user", "created_at")}

seconds = st.integers(-30, 30).map(lambda count: NOW + timedelta(seconds=count))
guesses = st.sampled_from([0, 1, policy.MOST_WRONG_GUESSES - 1, policy.MOST_WRONG_GUESSES])


@pytest.fixture
def senders(project: ProjectConfig) -> dict[Channel, uuid.UUID]:
    from channels.models import Sender

    return {Channel(sender.channel): sender.pk for sender in Sender.objects.all()}


@st.composite
def challenges(draw: st.DrawFn, nth: int) -> dict[str, Any]:
    end = draw(st.sampled_from(["open", "verified", *EndReason]))
    return {
        "id": IDS[nth],
        "phone": draw(st.sampled_from(PHONES)),
        "purpose": draw(st.sampled_from([Purpose.LOGIN.value, Purpose.ASSERTION.value])),
        "key_id": draw(st.sampled_from(["k1", "k2"])),
        "code_length": draw(st.sampled_from([6, 8])),
        "is_test": draw(st.booleans()),
        "browser": draw(st.sampled_from(["", "b" * 24])),
        "attempts": draw(st.integers(0, 3)),
        "max_attempts": 3,
        "start_key": draw(st.sampled_from([None, bytes([nth]) * 32])),
        "created_at": NOW - timedelta(minutes=5),
        "expires_at": draw(seconds),
        "resend_at": NOW,
        "verified_at": NOW - timedelta(seconds=5) if end == "verified" else None,
        "ended_at": NOW if end in list(EndReason) else None,
        "end_reason": end if end in list(EndReason) else "",
        "language": "en",
        "origin": factories.ORIGIN,
    }


@st.composite
def deliveries(draw: st.DrawFn, nth: int, channel: Channel) -> dict[str, Any]:
    return {
        "id": uuid.uuid5(IDS[nth], channel),
        "challenge_id": IDS[nth],
        "channel": channel,
        "cause": draw(st.sampled_from([Cause.START.value, Cause.RESEND.value])),
        "chosen": draw(st.booleans()),
        "status": draw(st.sampled_from(list(Status))).value,
        "reason": draw(st.sampled_from(["", FailureReason.UNKNOWN.value])),
        "provider_message_id": draw(st.sampled_from(["", f"id-{nth}-{channel}"])),
        "price_category": draw(st.sampled_from(["", "authentication"])),
        "tries": draw(st.integers(0, 2)),
        "created_at": NOW - timedelta(minutes=1),
        "send_after": draw(seconds),
        "due_at": draw(st.none() | seconds),
        "accepted_at": draw(st.none() | seconds),
        "status_at": NOW - timedelta(minutes=1),
    }


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    """Rows of all tables that the hot statements read and write."""
    count = draw(st.integers(1, 3))
    used = [
        (nth, channel) for nth in range(count) for channel in draw(st.sets(st.sampled_from(list(Channel))))
    ]
    records = draw(st.sets(st.sampled_from(PHONES)))
    return {
        "challenges": [draw(challenges(nth)) for nth in range(count)],
        "deliveries": [draw(deliveries(nth, channel)) for nth, channel in used],
        "records": {
            phone: {
                "wrong_guesses": draw(guesses),
                "known_wrong_guesses": draw(guesses),
                "not_on_whatsapp_at": draw(st.sampled_from([None, NOW, NOW - timedelta(days=30)])),
                "updated_at": draw(seconds),
            }
            for phone in records
        },
        "users": {phone: draw(st.booleans()) for phone in draw(st.sets(st.sampled_from(PHONES)))},
        "unhealthy": draw(st.sets(st.sampled_from(list(Channel)))),
    }


def _fill(world: dict[str, Any], project: ProjectConfig, senders: dict[Channel, uuid.UUID]) -> None:
    Challenge.objects.bulk_create(Challenge(project_id=project.id, **row) for row in world["challenges"])
    Delivery.objects.bulk_create(
        Delivery(sender_id=senders[row["channel"]], **row) for row in world["deliveries"]
    )
    PhoneRecord.objects.bulk_create(
        PhoneRecord(project_id=project.id, phone=phone, **row) for phone, row in world["records"].items()
    )
    for phone, is_active in world["users"].items():
        user_id = uuid.uuid5(IDS[0], phone)
        User.objects.create(
            id=user_id, project_id=project.id, phone=phone, is_active=is_active, session_salt="s"
        )
    SenderHealth.objects.bulk_create(SenderHealth(sender_id=senders[key]) for key in world["unhealthy"])


def _tables() -> dict[str, list[str]]:
    found = {}
    for model in TABLES:
        name = model._meta.model_name or ""
        columns = [f.attname for f in model._meta.concrete_fields if (name, f.attname) not in LEFT_OUT]
        found[name] = sorted(repr(row) for row in model._default_manager.values_list(*columns))
    return found


class Compare:
    """Runs an act in both forms over the same rows, each undone afterwards."""

    def __init__(self, project: ProjectConfig, senders: dict[Channel, uuid.UUID]) -> None:
        self.project, self.senders = project, senders

    def __call__(self, world: dict[str, Any], act: Callable[[], object]) -> None:
        outcomes = []
        for is_postgres in (True, False):
            with pytest.MonkeyPatch.context() as patch, transaction.atomic():
                patch.setattr(sql, "is_postgres", lambda answer=is_postgres: answer)
                _fill(world, self.project, self.senders)
                outcomes.append((act(), _tables()))
                transaction.set_rollback(True)
        (answer, tables), (portable_answer, portable_tables) = outcomes
        assert answer == portable_answer
        for name, rows in tables.items():
            assert rows == portable_tables[name]


@pytest.fixture
def compare(project: ProjectConfig, senders: dict[Channel, uuid.UUID]) -> Compare:
    return Compare(project, senders)


def many(act: Callable[..., None]) -> Callable[..., None]:
    """So many made-up states; the rows of each are undone, so the fixtures may be shared."""
    return examples(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))(act)


@many
@given(world=worlds(), data=st.data())
def test_start(compare: Compare, world: dict[str, Any], data: st.DataObject) -> None:
    channel = data.draw(st.sampled_from(list(Channel)))
    new = start.NewChallenge(
        id=new_id(),
        delivery_id=new_id(),
        project_id=compare.project.id,
        purpose=Purpose.LOGIN.value,
        phone=data.draw(st.sampled_from(PHONES)),
        country=data.draw(st.sampled_from(["", "HK", "+881"])),
        key_id="k1",
        code_length=6,
        start_key=data.draw(st.sampled_from([None, bytes([0]) * 32, b"new" * 8])),
        is_test=data.draw(st.booleans()),
        language="en",
        origin=factories.ORIGIN,
        address=data.draw(st.sampled_from([None, factories.ADDRESS])),
        browser=data.draw(st.sampled_from(["", "b" * 24])),
        now=NOW,
        expires_at=NOW + timedelta(minutes=5),
        resend_at=NOW + timedelta(seconds=30),
        max_attempts=5,
        channel=channel,
        chosen=data.draw(st.booleans()),
        sender_id=data.draw(st.sampled_from([None, compare.senders[channel]])),
        status=data.draw(st.sampled_from([Status.QUEUED, Status.DELIVERED])),
        due_at=data.draw(st.sampled_from([None, NOW])),
        replaces=data.draw(st.sampled_from([None, *IDS])),
    )
    compare(world, lambda: start.insert_challenge(new))


@many
@given(world=worlds(), nth=st.integers(0, 2), channel=st.sampled_from(list(Channel)))
def test_claim(compare: Compare, world: dict[str, Any], nth: int, channel: Channel) -> None:
    lease = policy.LEASE
    compare(world, lambda: claim.claim(delivery_id=uuid.uuid5(IDS[nth], channel), now=NOW, lease=lease))


@many
@given(world=worlds(), most=st.integers(1, 6))
def test_claim_waiting(compare: Compare, world: dict[str, Any], most: int) -> None:
    def act() -> object:
        return sorted(
            claim.claim_waiting(most=most, now=NOW, lease=policy.LEASE), key=lambda item: item.delivery_id
        )

    compare(world, act)


@many
@given(
    world=worlds(),
    channel=st.sampled_from(list(Channel)),
    message_id=st.sampled_from(["", "new"]),
    nths=st.lists(st.integers(0, 2), unique=True),
)
def test_accept(
    compare: Compare, world: dict[str, Any], channel: Channel, message_id: str, nths: list[int]
) -> None:
    compare(
        world,
        lambda: claim.accept(
            [
                claim.Acceptance(
                    delivery_id=uuid.uuid5(IDS[nth], channel),
                    message_id=message_id and f"{message_id}{nth}",
                    at=NOW,
                    due_at=NOW + timedelta(seconds=20 + nth),
                    template_language="pt_BR",
                )
                for nth in nths
            ]
        ),
    )


@many
@given(world=worlds(), data=st.data())
def test_verify(compare: Compare, world: dict[str, Any], data: st.DataObject) -> None:
    guess = verify.Guess(
        challenge_id=data.draw(st.sampled_from(IDS)),
        length=data.draw(st.sampled_from([6, 6, 8])),
        key_ids=data.draw(st.lists(st.sampled_from(["k1", "k2"]), unique=True)),
        test_phones=[(compare.project.id, phone) for phone in data.draw(st.sets(st.sampled_from(PHONES)))],
        new_user_id=data.draw(st.sampled_from([None, IDS[3]])),
        now=NOW,
        guesses_since=data.draw(st.sampled_from([uuid.UUID(int=0), IDS[0], IDS[1]])),
        purpose=data.draw(st.sampled_from([Purpose.LOGIN.value, Purpose.ASSERTION.value])),
    )

    def act() -> object:
        judged = verify.judge(guess)
        salts = {"s": "s"}  # a new user's is random
        if judged and judged.person:
            person = judged.person
            return judged, person.user_id, person.is_active, person.is_new, salts.get(person.session_salt)
        return judged

    compare(world, act)


def members(groups: list[updates.Alike]) -> list[tuple[Any, ...]]:
    """Each delivery with what its group has in common, in the order of their ids."""
    return sorted((*member, *group[:-3]) for group in groups for member in zip(*group[-3:], strict=True))


@many
@given(world=worlds(), data=st.data())
def test_record(compare: Compare, world: dict[str, Any], data: st.DataObject) -> None:
    reports = [
        StatusUpdate(
            sender_ids=tuple(
                compare.senders[key] for key in data.draw(st.sets(st.sampled_from(list(Channel))))
            ),
            delivery_id=str(uuid.uuid5(IDS[nth], channel)) if data.draw(st.booleans()) else None,
            provider_message_id=f"id-{nth}-{channel}",
            status=data.draw(st.sampled_from(list(Status)[2:])),
            occurred_at=NOW + timedelta(seconds=second),
            reason=data.draw(st.sampled_from([None, FailureReason.NOT_ON_CHANNEL, FailureReason.UNKNOWN])),
            provider_code=data.draw(st.sampled_from(["", "131026"])),
            price_category=data.draw(st.sampled_from(["", "authentication", "free"])),
        )
        for second, (nth, channel) in enumerate(
            data.draw(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(list(Channel))), max_size=4))
        )
    ]

    def act() -> object:
        return members(updates.record(reports, now=NOW))

    compare(world, act)


@many
@given(world=worlds(), before=st.sampled_from(IDS), batch=st.integers(1, 3))
def test_purge(compare: Compare, world: dict[str, Any], before: uuid.UUID, batch: int) -> None:
    compare(world, lambda: purge.challenges(before=before, batch=batch))
    compare(world, lambda: purge.phone_records(before=NOW, batch=batch))


@many
@given(world=worlds(), since=st.none() | seconds, most=st.integers(1, 3))
def test_unreported(compare: Compare, world: dict[str, Any], since: datetime | None, most: int) -> None:
    senders = dict.fromkeys(compare.senders.values(), since)
    compare(world, lambda: unreported.sends(senders, until=NOW, most=most))


@many
@given(world=worlds())
def test_state(compare: Compare, world: dict[str, Any]) -> None:
    compare(world, lambda: [state.rows_of(challenge_id) for challenge_id in IDS])


@many
@given(world=worlds())
def test_state_has_each_delivery_once_and_the_oldest_first(compare: Compare, world: dict[str, Any]) -> None:
    made = {row["id"] for row in world["challenges"]}
    expected = [
        sorted(
            (row["id"], row["channel"], row["status"])
            for row in world["deliveries"]
            if row["challenge_id"] == key
        )
        for key in IDS
    ]

    def act() -> None:
        for key, deliveries in zip(IDS, expected, strict=True):
            rows = state.rows_of(key)
            assert [(row.channel, row.status) for row in rows] == [item[1:] for item in deliveries]
            assert {row.phone for row in rows} <= set(PHONES)
            assert key in made or not rows

    compare(world, act)
