"""Who of the staff has which role in which project."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from projects.models import Project
from users.roles import Role


class Membership(models.Model):
    """A role of a member of staff in a project. Who has one sees those projects only."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("member of staff"),
    )
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("project")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("role in a project")
        verbose_name_plural = _("roles in projects")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "project", "role"],
                name="one_row_per_role",
                violation_error_message=_("This role is there already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}, {self.project}"
