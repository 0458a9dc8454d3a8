"""Sessions with an owner, so that people can see and end them."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.utils.translation import gettext_lazy as _


class Session(AbstractBaseSession):
    """Django's session with an owner. Pages and tokens show `id`; `session_key` holds the hashed key
    (login.sessions)."""

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

    objects: ClassVar[BaseSessionManager["Session"]] = BaseSessionManager()  # type: ignore[assignment] # the stubs say Self

    class Meta(AbstractBaseSession.Meta):
        abstract = False
        verbose_name = _("session")  # type: ignore[assignment] # the stubs of this base know plain text only
        verbose_name_plural = _("sessions")  # type: ignore[assignment] # likewise

    def save(self, *, force_update: bool = False, **options: Any) -> None:  # noqa: ANN401 # Django's options, by name only
        """Django's engine updates a row without reading it first: columns that it does not know must stay."""
        if force_update:
            options["update_fields"] = ("session_data", "expire_date", "user")
        super().save(force_update=force_update, **options)
