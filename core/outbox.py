"""Rows that are posted to another server until it takes them: claimed, posted, tried again later, given up.

Each row is posted at least once; a worker that dies holding one keeps it no longer than the lease.
"""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import http
from core.errors import CallFailed, CallProblem

log = structlog.get_logger(__name__)

# A row that is being posted is held this long; a call takes five seconds at most.
LEASE = timedelta(seconds=30)
# A server that needs longer than this to fail is left alone by the process that called it: one that hangs costs one
# call's time in thirty seconds, and the messages for others do not wait behind its own.
SLOW = timedelta(seconds=1)
LEFT_ALONE = timedelta(seconds=30)


class Outgoing(models.Model):
    """`due_at` says when it is to be posted (again); NULL: never."""

    created_at = models.DateTimeField(_("created"))
    due_at = models.DateTimeField(_("next try"), null=True)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    delivered_at = models.DateTimeField(_("delivered"), null=True)
    outcome = models.CharField(_("last answer"), max_length=40, blank=True, default="")

    class Meta:
        abstract = True


class Outbox[Row: Outgoing]:
    """The rows of one model. Subclasses say how a row is posted and what is logged of it.

    `target` is the field that names whom a row is for: one that fails slowly is left alone for a while, so that
    others do not wait behind it.
    """

    model: type[Row]
    target: str
    joined: tuple[str, ...] = ()  # what is read along with a claimed row
    final: frozenset[int] = frozenset()  # statuses after which it is not tried again

    def __init__(self) -> None:
        self._hanging: dict[object, datetime] = {}

    def send(self, row: Row) -> tuple[str, int]:
        """What became of one post, in a word, and its HTTP status (0: none)."""
        raise NotImplementedError

    def next_try(self, tries: int) -> timedelta | None:
        """How long after the `tries`-th failed post the next one is made; None: no more."""
        raise NotImplementedError

    def tell(self, row: Row, *, status: int, outcome: str, taken: bool, again: bool) -> None:
        """Log and count one post."""
        raise NotImplementedError

    def post_due(self, *, seconds: float) -> int:
        """Post what is due, one after the other, for at most `seconds`; how many. Several may run at once."""
        begun, count = time.monotonic(), 0
        while time.monotonic() - begun < seconds:
            row = self._claim(timezone.now())
            if row is None:
                break
            self._post(row)
            count += 1
        return count

    def replay(self, rows: "models.QuerySet[Row]") -> int:
        """Post these once more, from the beginning of their tries; how many."""
        return rows.update(due_at=timezone.now(), tries=0, delivered_at=None, outcome="")

    def forget(self) -> None:
        """No server is left alone any more."""
        self._hanging.clear()

    def _claim(self, now: datetime) -> Row | None:
        """The row that has waited longest, now held by us."""
        with transaction.atomic():
            alone = [key for key, until in list(self._hanging.items()) if now < until]
            due = self._rows().filter(due_at__lte=now).exclude(**{f"{self.target}__in": alone})
            due = due.select_related(*self.joined) if self.joined else due
            if connection.vendor == "postgresql":
                due = due.select_for_update(skip_locked=True, of=("self",))
            row = due.order_by("due_at").first()
            if row:
                row.tries += 1
                self._rows().filter(pk=row.pk).update(tries=row.tries, due_at=now + LEASE)
        return row

    def _post(self, row: Row) -> None:
        begun = time.monotonic()
        outcome, status = self._sent(row)
        now, taken = timezone.now(), 200 <= status < 300
        if not taken and time.monotonic() - begun > SLOW.total_seconds():
            self._hanging[getattr(row, self.target)] = now + LEFT_ALONE
        wait = None if taken or status in self.final else self.next_try(row.tries)
        self._rows().filter(pk=row.pk).update(
            due_at=now + wait if wait else None, delivered_at=now if taken else None, outcome=outcome
        )
        self.tell(row, status=status, outcome=outcome, taken=taken, again=wait is not None)

    def _sent(self, row: Row) -> tuple[str, int]:
        """As `send`. One that cannot even be made is given up like any other, and keeps none of the others waiting."""
        try:
            return self.send(row)
        except Exception as error:
            log.exception("outbox.send_failed", kind=type(row).__name__, error=type(error).__name__)
            return "error", 0

    def _rows(self) -> "models.QuerySet[Row]":
        rows: models.QuerySet[Row] = self.model._default_manager.all()
        return rows


def post(url: str, *, content: bytes, headers: Mapping[str, str]) -> tuple[str, int]:
    """One post, in a word and its HTTP status (0: there was no answer)."""
    try:
        answer = http.shared().post(url, content=content, headers=headers)
    except http.AnswerLost:
        return "no answer", 0
    except CallFailed as error:
        is_away = error.problem is CallProblem.UNREACHABLE
        return error.code or ("unavailable" if is_away else "misconfigured"), 0
    return str(answer.status), answer.status
