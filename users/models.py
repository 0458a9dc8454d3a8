"""The user. People have a project and a phone and no password; staff have a username and a password and no phone."""

import os
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from core.ids import new_id
from core.pads import hmac_pads
from projects.models import Project
from users.factor_models import Passkey, RecoveryCode, Totp
from users.invitation_models import Invitation
from users.role_models import Membership
from users.roles import PERMISSIONS

__all__ = [
    "Invitation",
    "Membership",
    "Passkey",
    "RecoveryCode",
    "Totp",
    "User",
    "UserManager",
    "new_session_salt",
    "session_hash",
    "session_hash_pads",
]


_SESSION = "users.session"


def new_session_salt() -> str:
    return os.urandom(16).hex()


class UserManager(BaseUserManager["User"]):
    """Creates staff. People are created by the first login with their number (otp.store)."""

    def create_user(self, username: str, password: str | None = None, **fields: object) -> "User":
        """Create a staff user. Raises ValueError without a username."""
        if not username:
            raise ValueError("staff need a username")
        user = self.model(username=self.model.normalize_username(username), is_staff=True, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(username, password, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person or a member of staff. `id` is opaque and never reused: it is the `sub` that applications see."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(
        Project,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="users",
        verbose_name=_("project"),
    )
    phone = models.CharField(_("phone number"), max_length=16, null=True, blank=True)  # noqa: DJ001 # unique when set
    # Unique when set.
    username = models.CharField(_("username"), max_length=150, unique=True, null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    # Part of the session hash: a new value ends all sessions of this user at once.
    session_salt = models.CharField(max_length=32, default=new_session_salt, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # Erased or merged: without a number, and being deleted (login.erasure).
    deletion_began_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        permissions: ClassVar = [
            ("reveal_phone", "Can see a whole phone number, one at a time, and search by a part of one"),
            ("move_user", "Can move a user to another number"),
            ("merge_user", "Can merge two users"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["deletion_began_at"],
                condition=Q(deletion_began_at__isnull=False),
                name="user_being_deleted",
            ),
            # For searches by number in all projects; users.0003 adds the one for how numbers end.
            models.Index(fields=["phone"], name="user_by_number", opclasses=["varchar_pattern_ops"]),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "phone"], name="one_user_per_number"),
            models.CheckConstraint(
                condition=Q(
                    phone__isnull=False,
                    project__isnull=False,
                    username__isnull=True,
                    is_staff=False,
                    is_superuser=False,
                )
                | Q(phone__isnull=True, project__isnull=True, username__isnull=False, is_staff=True),
                name="person_or_staff",
            ),
        ]

    def __str__(self) -> str:
        return self.username or str(self.id)

    @cached_property
    def roles(self) -> tuple[tuple[uuid.UUID, str], ...]:
        """(project, role) of every role in a project; none for superusers, who may do everything everywhere."""
        if not self.is_staff or self.is_superuser:
            return ()
        return tuple(self.memberships.values_list("project_id", "role"))

    def projects_with(self, *permissions: str) -> frozenset[uuid.UUID] | None:
        """The projects in which a role gives one of the permissions; None for staff of the whole installation."""
        if not self.roles:
            return None
        return frozenset(
            project for project, role in self.roles if not PERMISSIONS[role].isdisjoint(permissions)
        )

    def get_all_permissions(self, obj: models.Model | None = None) -> set[str]:
        """Of staff with roles in projects only those of the roles, in any of the projects. Own permissions and groups
        are for staff of the whole installation."""
        if not self.is_active or not self.roles:
            return super().get_all_permissions(obj)
        return set().union(*(PERMISSIONS[role] for _project, role in self.roles))

    def has_perm(self, perm: str, obj: Any = None) -> bool:  # noqa: ANN401 # Django's signature
        if not self.is_active or not self.roles:
            return super().has_perm(perm, obj)
        return perm in self.get_all_permissions()

    def has_module_perms(self, app_label: str) -> bool:
        if not self.is_active or not self.roles:
            return super().has_module_perms(app_label)
        return any(name.startswith(f"{app_label}.") for name in self.get_all_permissions())

    def get_session_auth_hash(self) -> str:
        return session_hash(password=self.password, session_salt=self.session_salt)

    def get_session_auth_fallback_hash(self) -> list[str]:
        """No fallbacks: sessions may end when the secret key is rotated."""
        return []


def session_hash(*, password: str, session_salt: str) -> str:
    """The hash that a valid session of the user carries. It depends on every value whose change ends sessions."""
    return salted_hmac(_SESSION, f"{session_salt}:{password}", algorithm="sha256").hexdigest()


def session_hash_pads() -> tuple[bytes, bytes]:
    """The pads of `session_hash`, with which PostgreSQL computes the same."""
    return hmac_pads(_SESSION, settings.SECRET_KEY)
