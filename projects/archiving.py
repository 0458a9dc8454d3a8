"""Archive and restore projects. An archived project serves no requests; its data is kept."""

from django.db import transaction
from django.utils import timezone

from audit.kinds import Kind
from audit.record import record
from projects import rules
from projects.models import Project


class NotPossible(Exception):
    """The action is refused; the text tells staff why."""


def archive(project: Project) -> None:
    """Raises NotPossible."""
    if project.is_default:
        raise NotPossible(rules.default_is_needed())
    if project.archived_at is None:
        with transaction.atomic():
            project.archived_at = timezone.now()
            project.save(update_fields=["archived_at"])
            record(Kind.PROJECT_ARCHIVED, project)


def restore(project: Project) -> None:
    """Raises NotPossible."""
    if project.deletion_began_at is not None:
        raise NotPossible(rules.being_deleted())
    if project.archived_at is not None:
        with transaction.atomic():
            project.archived_at = None
            project.save(update_fields=["archived_at"])
            record(Kind.PROJECT_RESTORED, project)
