"""Enums of `otp.types` with what the admin calls their values."""

from django.utils.translation import gettext_lazy as _

from otp.types import Cause, EndReason

END_REASONS = (
    (EndReason.RESTARTED.value, _("started again")),
    (EndReason.CANCELLED.value, _("cancelled")),
    (EndReason.DISAVOWED.value, _("the person did not ask for this code")),
    (EndReason.IDENTITY_CHANGED.value, _("the WhatsApp account changed hands")),
)
CAUSES = (
    (Cause.START.value, _("start")),
    (Cause.RESEND.value, _("resend")),
    (Cause.SWITCH.value, _("chosen by the user")),
    (Cause.FALLBACK.value, _("automatic fallback")),
    (Cause.FAILOVER.value, _("next sender of the channel")),
)
