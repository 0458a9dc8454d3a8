"""The statements of every login, each as something to prepare (not timed) and something to do (timed).

Django must be set up before this is imported.
"""

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from abuse import rules
from channels.models import Sender
from channels.types import Channel, Status, StatusUpdate
from core.ids import new_id, oldest_id_at
from login.models import Session
from otp import fallback, retention
from otp.challenge_view import describe
from otp.models import Challenge, Delivery, Timer
from otp.store import claim, purge, start, updates, verify
from otp.store import due as sweep
from otp.store.start import NewChallenge
from projects.config import projects
from users.models import User

BATCH = 100
_RNG = random.Random(7)
_LEASE = timedelta(seconds=8)


@dataclass(frozen=True)
class Query[T]:
    name: str
    prepare: Callable[[], T]
    act: Callable[[T], object]
    often: bool = True  # False: each run takes a batch of rows away

    def ready(self) -> Callable[[], None]:
        """Prepared; what it gives is what counts."""
        value = self.prepare()

        def run() -> None:
            self.act(value)

        return run


def phone() -> str:
    return f"+8525{_RNG.randrange(10_000):07}"


def start_key(project_id: uuid.UUID) -> bytes:
    return rules.form_key(form_token=new_id().hex, project_id=project_id, phone=phone())


def new() -> NewChallenge:
    now = timezone.now()
    project, sender = next(iter(projects.get().by_id.values())), Sender.objects.get(channel="whatsapp")
    return NewChallenge(
        id=new_id(), delivery_id=new_id(), project_id=project.id, purpose="login", phone=phone(), country="HK",
        key_id="k1", code_length=6, start_key=start_key(project.id), is_test=False, language="en", origin="https://login.example.com",
        address="192.0.2.1", now=now, expires_at=now + timedelta(minutes=5), resend_at=now + timedelta(seconds=30),
        max_attempts=5, channel=Channel.WHATSAPP, chosen=False, sender_id=sender.id, browser="",
        status=Status.QUEUED, due_at=now + timedelta(seconds=3), replaces=None,
    )  # fmt: skip


def started() -> NewChallenge:
    made = new()
    start.insert_challenge(made)
    return made


def take(made: NewChallenge) -> object:
    return claim.claim(delivery_id=made.delivery_id, now=timezone.now(), lease=_LEASE)


def claimed() -> NewChallenge:
    made = started()
    take(made)
    return made


def accept(made: NewChallenge) -> None:
    now = timezone.now()
    due = now + timedelta(seconds=20)
    message_id = f"wamid.{made.delivery_id.hex}"
    claim.accept([claim.Acceptance(delivery_id=made.delivery_id, message_id=message_id, at=now, due_at=due)])


def accepted() -> NewChallenge:
    made = claimed()
    accept(made)
    return made


def report(made: NewChallenge, *, by_id: bool = True) -> object:
    assert made.sender_id
    update = StatusUpdate(
        sender_ids=(made.sender_id,), delivery_id=str(made.delivery_id) if by_id else None,
        provider_message_id=f"wamid.{made.delivery_id.hex}", status=Status.DELIVERED, occurred_at=timezone.now(),
    )  # fmt: skip
    return updates.record([update], now=timezone.now())


def judge(made: NewChallenge, *, right: bool) -> object:
    keys = ["k1"] if right else []
    guess = verify.Guess(
        challenge_id=made.id, length=6, key_ids=keys, test_phones=[], new_user_id=new_id(), now=timezone.now()
    )
    return verify.judge(guess)


def failed() -> uuid.UUID:
    made = claimed()
    Delivery.objects.filter(id=made.delivery_id).update(status=Status.FAILED)
    return made.delivery_id


def a_session() -> str:
    key = uuid.uuid4().hex
    Session.objects.create(
        session_key=key,
        session_data="x",
        expire_date=timezone.now() + timedelta(days=1),
        user=User.objects.first(),
    )
    return key


def nothing_due() -> None:
    Delivery.objects.filter(id__in=Timer.objects.values("delivery")).update(due_at=None)
    Timer.objects.all().delete()


def a_thousand_due() -> None:
    newest = Delivery.objects.order_by("-id").values_list("id", flat=True)[:1000]
    Delivery.objects.filter(id__in=list(newest)).update(due_at=timezone.now() - timedelta(seconds=1))


def sweep_once(_: object) -> object:
    return sweep.take_due(now=timezone.now(), batch=64)


def log_of(number: str) -> object:
    project = next(iter(projects.get().by_id))
    return list(Challenge.objects.filter(project_id=project, phone=number).order_by("-id")[:20])


def old_key() -> uuid.UUID:
    return oldest_id_at(timezone.now() - retention.CHALLENGES_KEPT)


def a_batch_on() -> uuid.UUID:
    return Challenge.objects.order_by("id").values_list("id", flat=True)[BATCH]


def clear(before: uuid.UUID) -> object:
    return purge.challenges(before=before, batch=BATCH)


def queries() -> "Iterator[Query[object]]":
    """In the order of a login's life."""
    table: list[object] = [
        Query("start a login", new, start.insert_challenge),
        Query("claim a delivery", started, take),
        Query("write the provider's answer down", claimed, accept),
        Query("one report", accepted, report),
        Query("one report, by the provider's id", accepted, lambda made: report(made, by_id=False)),
        Query("status page", started, lambda made: describe(challenge_id=made.id)),
        Query("a wrong code", started, lambda made: judge(made, right=False)),
        Query("a right code", started, lambda made: judge(made, right=True)),
        Query("session of a request", a_session, lambda key: Session.objects.filter(session_key=key).first()),
        Query("automatic fallback", failed, lambda key: fallback.fall_back(delivery_id=key)),
        Query("sweep, nothing due", nothing_due, sweep_once),
        Query("sweep, 64 of 1,000 due", a_thousand_due, sweep_once),
        Query("delivery log of a number", phone, log_of),
        Query("purge, nothing old", old_key, clear),
        Query(f"purge {BATCH:,} challenges", a_batch_on, clear, often=False),
    ]
    yield from table  # type: ignore[misc] # each prepares and takes its own type
