"""How a user proved who they are, as the `amr` claim names it."""


def methods(*, sms_sent: bool) -> tuple[str, ...]:
    """RFC 8176: `otp`, and `sms` when a text message carried the code. WhatsApp does not count as SMS."""
    return ("otp", "sms") if sms_sent else ("otp",)
