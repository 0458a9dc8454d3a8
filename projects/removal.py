"""Delete a project with all dependent rows, in short transactions: a large one has millions.

The dependent rows follow from the models' relations, so that none can be forgotten: cascading relations are followed
down to the leaves, and leaves are deleted first.
"""

import time
from collections.abc import Iterator

import structlog
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from audit import values
from audit.kinds import Kind
from audit.record import record, target_of
from projects import rules
from projects.archiving import NotPossible, lock
from projects.models import Project

log = structlog.get_logger(__name__)

BATCH = 500
_MAX_COUNT = 10_000


class _OutOfTime(Exception):
    """Rows are left."""


def problem(project: Project) -> str:
    """Why the project cannot be deleted, for staff; "" if it can."""
    is_only = not Project.objects.exclude(pk=project.pk).exists()
    return rules.default_is_needed() if project.is_default and not is_only else ""


def begin(project: Project) -> None:
    """Archive the project for good and mark it for deletion. Raises NotPossible."""
    with transaction.atomic():
        lock(project)
        if text := problem(project):
            raise NotPossible(text)
        now, before = timezone.now(), values.columns(project)
        project.is_default = False
        project.archived_at = project.archived_at or now
        project.deletion_began_at = project.deletion_began_at or now
        project.save(update_fields=["is_default", "archived_at", "deletion_began_at"])
        record(Kind.PROJECT_DELETION_BEGAN, project, before=before)
    log.warning("project.deletion_began", project_id=str(project.pk), slug=project.slug)


def remove(project: Project, *, seconds: float | None = None, batch: int = BATCH) -> bool:
    """Delete for at most `seconds` (None: no limit) and return whether the project is gone. Idempotent."""
    deadline = None if seconds is None else time.monotonic() + seconds
    try:
        for child, name in _children(Project):
            _drain(child, name, project, (Project,), batch, deadline)
        key, gone = str(project.pk), target_of(project)
        with transaction.atomic():
            project.delete()
            record(Kind.PROJECT_DELETED, gone)
    except (_OutOfTime, IntegrityError):
        # A login in progress may have added a row: the next round deletes it.
        return False
    log.warning("project.deleted", project_id=key, slug=project.slug)
    return True


def continue_removals(*, seconds: float) -> int:
    """Continue unfinished deletions and return how many projects are gone."""
    return sum(
        remove(project, seconds=seconds)
        for project in Project.objects.filter(deletion_began_at__isnull=False).order_by("deletion_began_at")
    )


def counts(project: Project) -> dict[str, str]:
    """How many rows of each model belong to the project directly, by verbose name. One statement."""
    children = {f"count_{nth}": child for nth, child in enumerate(_children(Project))}
    counted = {
        name: _Count(models.QuerySet(model).filter(**{key: project}).values("pk")[: _MAX_COUNT + 1])
        for name, (model, key) in children.items()
    }
    numbers: dict[str, int] = Project.objects.filter(pk=project.pk).values(**counted).first() or {}  # type: ignore[assignment] # counts
    return {
        str(children[name][0]._meta.verbose_name_plural): _shown(number)
        for name, number in numbers.items()
        if number
    }


def _shown(number: int) -> str:
    return str(number) if number <= _MAX_COUNT else f"> {_MAX_COUNT}"


class _Count(models.Subquery):
    """How many rows a queryset has."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = models.IntegerField()


def _children(model: type[models.Model]) -> Iterator[tuple[type[models.Model], str]]:
    """The models that cascade from this one, and their foreign key."""
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel) or relation.on_delete is not models.CASCADE:
            continue
        yield relation.related_model, relation.field.name


def _drain(
    model: type[models.Model],
    path: str,
    project: Project,
    above: tuple[type[models.Model], ...],
    batch: int,
    deadline: float | None,
) -> None:
    """Delete the rows of `model` whose `path` leads to the project, dependent rows first. Raises _OutOfTime."""
    for child, name in _children(model):
        if child not in (*above, model):
            _drain(child, f"{name}__{path}", project, (*above, model), batch, deadline)
    rows: models.QuerySet[models.Model] = models.QuerySet(model).filter(**{path: project})
    while keys := list(rows.values_list("pk", flat=True)[:batch]):
        if deadline is not None and time.monotonic() > deadline:
            raise _OutOfTime
        models.QuerySet(model).filter(pk__in=keys).delete()
