"""The user. People have a project and a phone and no password; staff have a username and a password and no phone."""

import secrets
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from core.ids import new_id
from projects.models import Project


def new_session_salt() -> str:
    return secrets.token_hex(16)


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

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
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

    def get_session_auth_hash(self) -> str:
        return session_hash(password=self.password, session_salt=self.session_salt)

    def get_session_auth_fallback_hash(self) -> list[str]:
        """No fallbacks: sessions may end when the secret key is rotated."""
        return []


def session_hash(*, password: str, session_salt: str) -> str:
    """The hash that a valid session of the user carries. It depends on every value whose change ends sessions."""
    return salted_hmac("users.session", f"{session_salt}:{password}", algorithm="sha256").hexdigest()
