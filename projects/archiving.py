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
    with transaction.atomic():
        lock(project)
        if project.is_default:
            raise NotPossible(rules.default_is_needed())
        if project.archived_at is None:
            project.archived_at = timezone.now()
            project.save(update_fields=["archived_at"])
            record(Kind.PROJECT_ARCHIVED, project)


def restore(project: Project) -> None:
    """Raises NotPossible."""
    with transaction.atomic():
        lock(project)
        if project.deletion_began_at is not None:
            raise NotPossible(rules.being_deleted())
        if project.archived_at is not None:
            project.archived_at = None
            project.save(update_fields=["archived_at"])
            record(Kind.PROJECT_RESTORED, project)


def lock(project: Project) -> None:
    """Lock the row and read it again: its deletion may have begun since it was shown. In a transaction."""
    project.refresh_from_db(from_queryset=Project.objects.select_for_update())
