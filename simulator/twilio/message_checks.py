"""Twilio's checks of a new message, with its test numbers. Each raises TwilioError."""

import re
from collections.abc import Mapping

from simulator.accounts import TwilioAccount
from simulator.handsets.phone_numbers import is_e164
from simulator.server.routing import whole_number
from simulator.twilio.callbacks import is_callback_url
from simulator.twilio.errors import TwilioError

BODY_MAX_LENGTH = 1600
VALIDITY_MAX_SECONDS = 36_000
_SERVICE_SID = re.compile(r"MG[0-9a-f]{32}")

# Twilio's "Test credentials": numbers that always fail, so that tests run against the real one, too.
_BAD_RECIPIENTS = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_BAD_SENDERS = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}


def check_form(form: Mapping[str, str], account: TwilioAccount) -> None:
    if not form.get("To"):
        raise TwilioError(21604)
    if not form.get("From") and not form.get("MessagingServiceSid"):
        raise TwilioError(21603)
    if not form.get("Body"):
        raise TwilioError(21602)
    if len(form["Body"]) > BODY_MAX_LENGTH:
        raise TwilioError(21617)
    _check_sender(form.get("From", ""), form.get("MessagingServiceSid", ""), account)
    _check_recipient(form["To"])
    validity_seconds(form)
    callback = form.get("StatusCallback", "")
    if callback and not is_callback_url(callback):
        raise TwilioError(21609)


def validity_seconds(form: Mapping[str, str]) -> int:
    """How long the message may wait in Twilio's queue."""
    text = form.get("ValidityPeriod", "")
    validity = whole_number(text) if text else VALIDITY_MAX_SECONDS
    if validity is None or not 1 <= validity <= VALIDITY_MAX_SECONDS:
        raise TwilioError(20001)
    return validity


def _check_sender(sender: str, service: str, account: TwilioAccount) -> None:
    if service and not _SERVICE_SID.fullmatch(service):
        raise TwilioError(21705)
    if sender in _BAD_SENDERS:
        raise TwilioError(_BAD_SENDERS[sender])
    if sender and sender != account.from_number:
        raise TwilioError(21606 if is_e164(sender) else 21212)


def _check_recipient(to: str) -> None:
    if to in _BAD_RECIPIENTS:
        raise TwilioError(_BAD_RECIPIENTS[to])
    if not is_e164(to):
        raise TwilioError(21211)
