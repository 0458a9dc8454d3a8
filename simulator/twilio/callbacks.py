"""A Twilio message and its status callbacks: form posts, signed with the account's token."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urldefrag, urlencode, urlsplit

from simulator.accounts import TwilioAccount
from simulator.handsets.messages import Message
from simulator.server.faults import ReportFaults
from simulator.server.poster import Post

FORM_TYPE = "application/x-www-form-urlencoded; charset=UTF-8"


@dataclass(slots=True, kw_only=True)
class TwilioMessage(Message):
    """A message with what its resource and its callbacks repeat."""

    account: TwilioAccount
    from_number: str | None
    messaging_service_sid: str | None
    callback_url: str | None

    def report(self, status: str, error_code: int | None, faults: ReportFaults) -> Post | None:
        """The callback; None where none was asked for."""
        if self.callback_url is None:
            return None
        form = callback_form(self, status=status, error_code=error_code, unknown_fields=faults.unknown_fields)
        token = "forged" if faults.forge else self.account.auth_token
        return callback_post(url=self.callback_url, form=form, auth_token=token, key=self.id)


def callback_form(
    message: TwilioMessage, *, status: str, error_code: int | None, unknown_fields: bool
) -> dict[str, str]:
    form = {"ApiVersion": "2010-04-01", "AccountSid": message.account.account_sid}
    if message.messaging_service_sid:
        form["MessagingServiceSid"] = message.messaging_service_sid
    form |= {"From": message.from_number or message.account.from_number, "To": message.to}
    form |= {"MessageSid": message.id, "SmsSid": message.id, "MessageStatus": status, "SmsStatus": status}
    if error_code is not None:
        form["ErrorCode"] = str(error_code)
    if status in ("delivered", "undelivered"):
        form["RawDlrDoneDate"] = datetime.now(UTC).strftime("%y%m%d%H%M")
    if unknown_fields:
        form |= {"NewField": "näu", "EmptyField": ""}
    return form


def callback_post(*, url: str, form: dict[str, str], auth_token: str, key: str) -> Post:
    """Twilio repeats once, and only when it could not connect; the URL's fragment may ask for more."""
    target, fragment = urldefrag(url)
    overrides = parse_qs(fragment)
    retries, policy = overrides.get("rc", ["1"])[0], overrides.get("rp", [""])[0]
    return Post(
        url=target,
        body=urlencode(form).encode(),
        headers={
            "Content-Type": FORM_TYPE,
            "User-Agent": "TwilioProxy/1.1",
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),
            "X-Twilio-Signature": twilio_signature(auth_token=auth_token, url=target, form=form),
        },
        key=key,
        tries=1 + (int(retries) if retries in set("012345") else 1),
        retry_on_status="5xx" in policy or "all" in policy,
    )


def twilio_signature(*, auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """X-Twilio-Signature of a form post: the URL without its fragment, then every field in byte order.

    Written out here so that no receiver is tested against its own code.
    """
    signed = urldefrag(url).url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def is_callback_url(url: str) -> bool:
    """Twilio takes http(s) only and no underscore in the host name."""
    try:
        parts = urlsplit(url)
    except ValueError:  # as in http://[/
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "_" not in (parts.hostname or "")
