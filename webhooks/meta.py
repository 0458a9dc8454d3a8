"""Meta's webhook: whose it is, and what it says. Pure; no HTTP, no database.

The order matters: `read` parses the body only to learn which accounts it names, `authenticate` checks its signature
with the secrets of those accounts, and only what that returned may be given to `translate` (`webhooks.meta_items`).
"""

import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from channels.base import SenderConfig
from webhooks.errors import Malformed, Untrusted

type Json = dict[str, Any]

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of a webhook's body: which account and number it names, and what it says about them."""

    account_id: str
    phone_number_id: str  # empty: it is about the account
    kind: str  # Meta's name of the field that changed
    value: Json = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class TrustedChange:
    """A change of an authenticated body, with the senders that it is about; none: the number is not ours."""

    change: Change
    sender_ids: tuple[uuid.UUID, ...]


def read(body: bytes) -> list[Change]:
    """What the body says, of which nothing is to be believed yet. Raises Malformed."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if not isinstance(payload, dict) or payload.get("object") != "whatsapp_business_account":
        raise Malformed("not about a WhatsApp Business account")
    entries = payload.get("entry")
    if not isinstance(entries, list):
        raise Malformed("no entries")
    return [change for entry in entries for change in _changes(entry)]


def _changes(entry: object) -> Iterator[Change]:
    if not isinstance(entry, dict):
        raise Malformed("an entry that is no object")
    account_id = text(entry.get("id"))
    changes = objects(entry.get("changes"))
    for change in changes:
        value = an_object(change.get("value"))
        yield Change(
            account_id=account_id,
            phone_number_id=text(an_object(value.get("metadata")).get("phone_number_id")),
            kind=text(change.get("field")),
            value=value,
        )
    if not changes:  # it still names an account, which must be one of ours
        yield Change(account_id=account_id, phone_number_id="", kind="", value={})


def authenticate(
    changes: Sequence[Change], *, body: bytes, signature: str, senders: Sequence[SenderConfig]
) -> list[TrustedChange]:
    """The changes with their senders. Raises Untrusted when a single one is not from an account of ours.

    Meta signs a body once, with one app's secret, so the right secret is among those of the first change's senders.
    """
    if not _SIGNATURE.fullmatch(signature):
        raise Untrusted("no_signature")
    if not changes:
        raise Untrusted("names_no_account")
    named = _named_by(changes[0], senders)
    if not named:
        raise Untrusted("unknown_account")
    secrets = _fitting_secrets(named, body=body, signature=signature)
    if not secrets:
        raise Untrusted("wrong_signature")
    return [_trust(change, secrets, senders) for change in changes]


def _fitting_secrets(named: Sequence[SenderConfig], *, body: bytes, signature: str) -> frozenset[str]:
    """Those of the senders' secrets that made this signature. Each is tried once, and always all of them."""
    candidates = {secret for sender in named for secret in sender.app_secrets}
    return frozenset(
        secret
        for secret in candidates
        if hmac.compare_digest(sign(secret, body).encode(), signature.encode())
    )


def sign(secret: str, body: bytes) -> str:
    """X-Hub-Signature-256 over exactly these bytes. Meta escapes what is not ASCII, so never a re-made body."""
    return "sha256=" + hmac.digest(secret.encode(), body, hashlib.sha256).hex()


def _named_by(change: Change, senders: Sequence[SenderConfig]) -> list[SenderConfig]:
    """The senders that live in the change's account, and the one whose number it names."""
    return [
        sender
        for sender in senders
        if (sender.business_account_id and sender.business_account_id == change.account_id)
        or _owns_number(sender, change)
    ]


def _owns_number(sender: SenderConfig, change: Change) -> bool:
    """Whether it is this sender's number; the account must fit too, unless none was configured."""
    if not change.phone_number_id or sender.phone_number_id != change.phone_number_id:
        return False
    return sender.business_account_id in ("", change.account_id)


def _trust(change: Change, secrets: frozenset[str], senders: Sequence[SenderConfig]) -> TrustedChange:
    """Raises Untrusted. A number that is not ours, in an account that is, is believed and about nobody.

    That is so for numbers we do not use, and for one that is used with another app's secret: Meta tells every app
    of an account about all its numbers, and repeats for days what is refused.
    """
    signers = [sender for sender in _named_by(change, senders) if not secrets.isdisjoint(sender.app_secrets)]
    if not signers:
        raise Untrusted("foreign_account")
    owners = [sender for sender in senders if sender.phone_number_id == change.phone_number_id]
    if change.phone_number_id and owners and not any(_owns_number(owner, change) for owner in owners):
        raise Untrusted("foreign_number")
    return TrustedChange(
        change=change, sender_ids=tuple(sender.id for sender in signers if _owns_number(sender, change))
    )


# Meta's JSON is read with tolerance: what has an unexpected shape is empty.


def text(value: object) -> str:
    """A string, or a whole number as one: Meta writes ids as both."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
        return str(value)
    return value if isinstance(value, str) else ""


def an_object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
