"""Roles of staff in a project, as data: which permissions each gives. docs/staff.md shows the table.

What belongs to the whole installation (projects themselves, shared senders, signing keys, staff) is in no role.
"""

from collections.abc import Mapping
from types import MappingProxyType

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    SECURITY = "security", _("Security")
    OPERATOR = "operator", _("Operator (senders)")
    SUPPORT = "support", _("Support")
    VIEWER = "viewer", _("Viewer")


_ALL, _EDIT, _LOOK = "view add change delete", "view change", "view"

# Model → its actions, for each role.
TABLE: Mapping[Role, Mapping[str, str]] = MappingProxyType(
    {
        Role.OWNER: {
            "projects.project": _LOOK,
            "projects.domain": _LOOK,
            "projects.loginmethods": _EDIT,
            "projects.testnumber": _ALL,
            "channels.sender": _ALL,
            "channels.rehearsal": "view add",
            "otp.challenge": "view export",
            "users.user": "view change delete move merge",
            "users.phone": "reveal",
            "users.membership": "view delete",
            "users.invitation": "view add delete",
            "oidc.client": _ALL,
            "oidc.logoutnotice": _EDIT,
            "events.endpoint": _ALL,
            "events.event": "view change delete",
            "stats.loginrollup": _LOOK,
            "stats.statstoken": _ALL,
            "audit.auditevent": "view export",
        },
        Role.SECURITY: {
            "projects.project": _LOOK,
            "projects.domain": _LOOK,
            "projects.loginmethods": _EDIT,
            "projects.testnumber": _ALL,
            "channels.sender": _LOOK,
            "otp.challenge": _LOOK,
            "users.user": _EDIT,
            "oidc.client": _ALL,
            "oidc.logoutnotice": _EDIT,
            "events.endpoint": _LOOK,
            "events.event": _LOOK,
            "stats.loginrollup": _LOOK,
            "audit.auditevent": "view export",
        },
        Role.OPERATOR: {
            "projects.project": _LOOK,
            "projects.domain": _LOOK,
            "projects.loginmethods": _LOOK,
            "projects.testnumber": _ALL,
            "channels.sender": _ALL,
            "channels.rehearsal": "view add",
            "otp.challenge": _LOOK,
            "events.endpoint": _ALL,
            "events.event": "view change delete",
            "stats.loginrollup": _LOOK,
        },
        Role.SUPPORT: {
            "projects.project": _LOOK,
            "projects.loginmethods": _LOOK,
            "otp.challenge": _LOOK,
            "users.user": _EDIT,
        },
        Role.VIEWER: {
            "projects.project": _LOOK,
            "projects.domain": _LOOK,
            "projects.loginmethods": _LOOK,
            "channels.sender": _LOOK,
            "otp.challenge": _LOOK,
            "oidc.client": _LOOK,
            "events.endpoint": _LOOK,
            "events.event": _LOOK,
            "stats.loginrollup": _LOOK,
        },
    }
)


def _named(table: Mapping[str, str]) -> frozenset[str]:
    """`{"otp.challenge": "view"}` → `otp.view_challenge`."""
    names = set()
    for model, actions in table.items():
        app, name = model.split(".")
        names |= {f"{app}.{action}_{name}" for action in actions.split()}
    return frozenset(names)


PERMISSIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {role.value: _named(table) for role, table in TABLE.items()}
)


def group_name(role: Role) -> str:
    """The group with the role's permissions, for staff of the whole installation."""
    return role.value.capitalize()
