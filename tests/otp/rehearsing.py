"""Rehearsals that tests run, and what the project's real senders were given meanwhile."""

import uuid

from channels import providers, rehearsals
from channels.models import Outcome, Rehearsal
from channels.types import Message
from projects.config import ProjectConfig
from projects.models import Project
from users.models import User

SESSION = "a-session-of-staff"


def rehearse(
    project: ProjectConfig, *, whatsapp: Outcome = Outcome.DELIVERED, sms: Outcome = Outcome.DELIVERED
) -> Rehearsal:
    staff = User.objects.filter(username="rehearsing").first() or User.objects.create_user("rehearsing", "x")
    return rehearsals.start(
        project=Project.objects.get(id=project.id),
        staff=staff,
        session_key=SESSION,
        whatsapp=whatsapp,
        sms=sms,
    )


def really_sent() -> list[Message]:
    """What went to the senders of the project."""
    memory = providers.backend("memory")
    messages: list[Message] = memory.outbox  # type: ignore[attr-defined] # the memory backend's
    return messages


def forget_sent() -> None:
    providers.backend("memory").clear()  # type: ignore[attr-defined] # the memory backend's


type Key = uuid.UUID
