"""What an apply changed, for the audit log: the rows that the file describes, compared as they were and are."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db.models import Model

from audit import values
from audit.kinds import Kind
from audit.record import Target, record, target_of
from channels.models import Sender
from core.secret_columns import secret_names
from oidc.models import Client
from projects.models import Domain, LoginMethods, Project, TestNumber

_MODELS: tuple[type[Model], ...] = (Project, Domain, LoginMethods, TestNumber, Sender, Client)
# Recorded where it is done (projects.archiving).
_ELSEWHERE = frozenset({"archived_at"})


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A row at one time. What is stored and its secrets are compared, and never written or printed."""

    target: Target
    columns: values.State
    secrets: values.Values = field(repr=False)


type _Rows = dict[tuple[str, str], _Row]


@contextmanager
def changes_recorded() -> Iterator[None]:
    """The block runs in a transaction; an event for each row that it adds, changes and deletes is part of that."""
    before = _rows()
    yield
    after = _rows()
    for key in dict.fromkeys([*before, *after]):
        _record(before.get(key), after.get(key))


def _rows() -> _Rows:
    """Every row that a file describes: a few for each project."""
    rows: _Rows = {}
    for model in _MODELS:
        for row in model._default_manager.defer(*secret_names(model)):
            target = target_of(row)
            rows[target.type, target.id] = _Row(
                target=target,
                columns={key: value for key, value in values.state(row).items() if key not in _ELSEWHERE},
                secrets=values.secrets(row),
            )
    return rows


def _record(before: _Row | None, after: _Row | None) -> None:
    was, now = values.changes(before.columns if before else {}, after.columns if after else {})
    secret_was, secret_now = values.changed_secrets(
        before.secrets if before else {}, after.secrets if after else {}
    )
    if after is None and before is not None:
        record(Kind.DELETED, before.target, before=was)
    elif after is not None and before is None:
        present = {name: value for name, value in now.items() if value not in (None, "", [], {})}
        record(Kind.ADDED, after.target, after=present | secret_now)
    elif after is not None and (was or now or secret_was or secret_now):
        record(Kind.CHANGED, after.target, before=was | secret_was, after=now | secret_now)
