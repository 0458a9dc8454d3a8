"""Sessions as rows that know their user, so that people can see and end them."""

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from login.sessions import SessionStore


class Session(AbstractBaseSession):
    """Django's session with an owner. `id` is what pages and tokens may show; the key never leaves the cookie."""

    id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="sessions",
        verbose_name=_("user"),
    )
    created_at = models.DateTimeField(_("signed in"), auto_now_add=True)
    user_agent = models.CharField(max_length=200, blank=True, default="")
    address = models.GenericIPAddressField(null=True)

    objects: ClassVar[BaseSessionManager["Session"]] = BaseSessionManager()

    class Meta(AbstractBaseSession.Meta):
        abstract = False
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    @classmethod
    def get_session_store_class(cls) -> "type[SessionStore]":
        from login.sessions import SessionStore

        return SessionStore
