"""What views, receivers and commands call of this app: each verb is a module of its own."""

from otp.cancel import cancel
from otp.challenge_view import describe, public_fields
from otp.resend import resend
from otp.start import start_challenge, started_before
from otp.status_updates import record_status_updates, revoke_disavowed, sender_of
from otp.verify import Opens, prove_number, verify_challenge

__all__ = [
    "Opens",
    "cancel",
    "describe",
    "prove_number",
    "public_fields",
    "record_status_updates",
    "resend",
    "revoke_disavowed",
    "sender_of",
    "start_challenge",
    "started_before",
    "verify_challenge",
]
