"""Moving stored numbers to their country's present form (users.renumberings), after that of an update of the rules.

Running challenges first, so that a code on its way still makes or opens the right account; then records of numbers,
test numbers and users. A row that has the present form already keeps it: such a pair is reported and left alone,
because only people know whether it is one person. Safe while people log in, and to repeat.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

from core.config_models import ConfigVersion
from otp.models import Challenge, PhoneRecord
from projects.models import TestNumber
from users.models import User
from users.renumberings import CALLING_CODES, present_form

_BATCH = 2000


@dataclass(frozen=True, kw_only=True)
class Move:
    """A stored number and its present form. `holder`: the row that has that one already; then nothing moves."""

    kind: str  # users, test numbers, running challenges, records of numbers
    id: str
    project: str  # its slug
    old: str
    new: str
    holder: str = ""


def renumber(*, only_check: bool = False) -> Iterator[Move]:
    """Every row that moves or would have to, as it is done; with `only_check` nothing is changed."""
    now = timezone.now()
    running = Challenge.objects.filter(verified_at=None, ended_at=None, expires_at__gt=now)
    for move in _old("running challenges", running):
        if not only_check:
            Challenge.objects.filter(pk=move.id).update(phone=move.new)
        yield move
    for move in _old("records of numbers", PhoneRecord.objects.all()):
        if not only_check:
            _merge_record(move)
        yield move
    yield from _unique("test numbers", TestNumber.objects.all(), only_check=only_check)
    yield from _unique("users", User.objects.all(), only_check=only_check)


def _old[Row: models.Model](kind: str, rows: models.QuerySet[Row]) -> Iterator[Move]:
    """The rows with an old number, oldest first, read in pieces."""
    prefixes = Q()
    for calling_code in CALLING_CODES:
        prefixes |= Q(phone__startswith=calling_code)
    rows = rows.filter(prefixes).order_by("pk")
    last = None
    while True:
        piece = rows.filter(pk__gt=last) if last is not None else rows
        batch = list(piece.values_list("pk", "project__slug", "phone")[:_BATCH])
        for pk, slug, phone in batch:
            new = present_form(phone)
            if new != phone:
                yield Move(kind=kind, id=str(pk), project=slug, old=phone, new=new)
        if len(batch) < _BATCH:
            return
        last = batch[-1][0]


def _unique[Row: (User, TestNumber)](
    kind: str, rows: models.QuerySet[Row], *, only_check: bool
) -> Iterator[Move]:
    """Rows of which a project has one for each number. Of two old spellings the older row gets the present form."""
    given: dict[tuple[str, str], str] = {}
    for move in _old(kind, rows):
        same = rows.filter(project__slug=move.project, phone=move.new).values_list("pk", flat=True)
        holder = str(same.first() or "") or given.get((move.project, move.new), "")
        if not holder and not only_check and not _moved(rows, move):
            holder = str(same.first())
        if not holder:
            given[move.project, move.new] = move.id
        yield Move(kind=kind, id=move.id, project=move.project, old=move.old, new=move.new, holder=holder)


def _moved[Row: (User, TestNumber)](rows: models.QuerySet[Row], move: Move) -> bool:
    """False: another row took the present form at this moment."""
    try:
        with transaction.atomic():
            rows.filter(pk=move.id, phone=move.old).update(phone=move.new)
            if rows.model is TestNumber:
                ConfigVersion.bump()
    except IntegrityError:
        return False
    return True


def _merge_record(move: Move) -> None:
    """The stricter values of both spellings are kept for the one line."""
    try:
        _merge(move)
    except IntegrityError:  # a wrong guess has begun a record under the new spelling at this moment
        _merge(move)


def _merge(move: Move) -> None:
    with transaction.atomic():
        old = PhoneRecord.objects.select_for_update().filter(pk=move.id).first()
        if old is None:
            return  # purged or erased meanwhile
        new = (
            PhoneRecord.objects.select_for_update().filter(project_id=old.project_id, phone=move.new).first()
        )
        if new is None:
            PhoneRecord.objects.filter(pk=old.pk).update(phone=move.new)
            return
        PhoneRecord.objects.filter(pk=new.pk).update(
            wrong_guesses=max(old.wrong_guesses, new.wrong_guesses),
            known_wrong_guesses=max(old.known_wrong_guesses, new.known_wrong_guesses),
            updated_at=max(old.updated_at, new.updated_at),
            blocked_until=_later(old.blocked_until, new.blocked_until),
            not_on_whatsapp_at=_later(old.not_on_whatsapp_at, new.not_on_whatsapp_at),
        )
        old.delete()


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)
