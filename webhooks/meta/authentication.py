"""Meta's webhook: whose it is, and what it says. Pure; no HTTP, no database.

The order matters, and each step costs only who has passed the one before: the header's form is seen already,
`authenticate` hashes the raw body, `read` parses it, `claim` keeps what belongs to senders of the secret that signed.
Only what that returned may be given to `translate` (`webhooks.meta.items`).
"""

import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pydantic_core import from_json

from channels.base import SenderConfig
from channels.providers.meta.settings import MetaSettings
from webhooks.errors import Counts, LeftOut, Malformed, Untrusted

type Json = dict[str, Any]

# Meta puts at most 1,000 updates into one body. What is beyond is counted and left out.
MOST_ENTRIES = 1000
MOST_CHANGES = 1000
# So many app secrets are tried for any body, those of the accounts that it names first; of more of them, as many as
# make no more work than these bytes. A small post about accounts of others alone is known for genuine that way, too.
MOST_SECRETS = 16
_MOST_HASHED_BYTES = 8 * 1024 * 1024
_LEAST_WORK_BYTES = 4096  # what trying one secret costs, however small the body

# An account's or a number's id where Meta writes them: "id":"…" and "phone_number_id":"…". Possessive, so that no body
# makes it look at a byte more than a few times.
_NAME = re.compile(rb'id"\s*+:\s*+"?+([^"\s,}\]]{1,64})')
_MOST_NAMES = 20_000
# Where a body is searched for whom it names when its signature is of no use: the first account stands at its beginning.
_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of a webhook's body: which account and number it names, and what it says about them."""

    account_id: str
    phone_number_id: str  # empty: it is about the account
    kind: str  # Meta's name of the field that changed
    value: Json = field(repr=False)
    at: str = ""  # when it happened, in Unix seconds as Meta writes them; empty for what is about a message


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a body says, and how much of it was left out, by reason."""

    changes: Sequence[Change]
    left_out: Counts


@dataclass(frozen=True, kw_only=True)
class TrustedChange:
    """A change of an authenticated body, with the senders that it is about: those of its number, or of its account."""

    change: Change
    sender_ids: tuple[uuid.UUID, ...]


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """The changes that are about senders of ours, and how many were not, by reason."""

    changes: Sequence[TrustedChange]
    left_out: Counts


def authenticate(
    body: bytes, *, signature: str, senders: Sequence[SenderConfig[MetaSettings]]
) -> frozenset[str]:
    """Those of the senders' app secrets that made this signature. Each is tried once, whether or not one before fits.

    Raises Untrusted when none did. Nothing of the body is believed or even parsed before that.
    """
    matching = frozenset(
        secret
        for secret in _candidates(body, senders)
        if hmac.compare_digest(sign(secret, body).encode(), signature.encode())
    )
    if not matching:
        raise Untrusted("wrong_signature")
    return matching


def _candidates(body: bytes, senders: Sequence[SenderConfig[MetaSettings]]) -> Sequence[str]:
    secrets = dict.fromkeys(secret for sender in senders for secret in sender.settings.app_secrets)
    if len(secrets) <= MOST_SECRETS:
        return list(secrets)
    by_name: dict[bytes, list[str]] = {}
    for sender in senders:
        for name in (sender.settings.business_account_id, sender.settings.phone_number_id):
            if name:
                by_name.setdefault(name.encode(), []).extend(sender.settings.app_secrets)
    named = dict.fromkeys(secret for name in _names(body) for secret in by_name.get(name, ()))
    affordable = _MOST_HASHED_BYTES // max(len(body), _LEAST_WORK_BYTES)
    return list(islice({**named, **secrets}, max(MOST_SECRETS, affordable)))


def _names(body: bytes) -> Iterator[bytes]:
    """What looks like an id, in the order of the bytes."""
    return (match[1] for match in islice(_NAME.finditer(body), _MOST_NAMES))


def named(body: bytes, senders: Sequence[SenderConfig[MetaSettings]]) -> list[uuid.UUID]:
    """The senders that a body names at its beginning, true or not: to explain a signature that does not fit."""
    names = {name.decode(errors="replace") for name in _names(body[:_HEAD_BYTES])}
    return [
        sender.id
        for sender in senders
        if names & ({sender.settings.business_account_id, sender.settings.phone_number_id} - {""})
    ]


def sign(secret: str, body: bytes) -> str:
    """X-Hub-Signature-256 over exactly these bytes. Meta escapes what is not ASCII, so never a re-made body."""
    return "sha256=" + hmac.digest(secret.encode(), body, hashlib.sha256).hex()


def read(body: bytes) -> Reading:
    """What an authenticated body says. Raises Malformed when it is no JSON; what is odd beyond that is left out.

    A genuine post that is refused comes again for days, and what else it holds is lost meanwhile.
    """
    payload = _parse(body)
    left_out = Counts()
    entries = an_object(payload).get("entry")
    if an_object(payload).get("object") != "whatsapp_business_account" or not isinstance(entries, list):
        left_out[LeftOut.FOREIGN_OBJECT] += 1
        return Reading(changes=(), left_out=left_out)
    changes: list[Change] = []
    for entry in entries[:MOST_ENTRIES]:
        _add_changes(changes, entry, left_out)
    left_out[LeftOut.BEYOND_LIMIT] += len(entries[MOST_ENTRIES:])
    return Reading(changes=changes, left_out=+left_out)  # without zeros


def _parse(body: bytes) -> object:
    try:
        return from_json(body, cache_strings="keys")  # in half the time
    except ValueError:
        pass
    try:
        return json.loads(body)  # it takes more: half a surrogate pair, other encodings
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error


def _add_changes(changes: list[Change], entry: object, left_out: Counts) -> None:
    items = an_object(entry).get("changes")
    if not isinstance(items, list):
        left_out[LeftOut.UNREADABLE] += 1
        return
    account_id = text(an_object(entry).get("id"))
    taken = items[: MOST_CHANGES - len(changes)]
    left_out[LeftOut.BEYOND_LIMIT] += len(items) - len(taken)
    for item in taken:
        if not isinstance(item, dict):
            left_out[LeftOut.UNREADABLE] += 1
            continue
        value = an_object(item.get("value"))
        changes.append(
            Change(
                account_id=account_id,
                phone_number_id=text(an_object(value.get("metadata")).get("phone_number_id")),
                kind=text(item.get("field")),
                value=value,
                at=text(an_object(entry).get("time")),
            )
        )


def claim(
    changes: Sequence[Change], *, secrets: frozenset[str], senders: Sequence[SenderConfig[MetaSettings]]
) -> Claimed:
    """Those of the changes that are about senders of the secrets that signed them.

    Meta posts all accounts of an app together, ours or not, and tells every app of an account about all its numbers;
    the dashboard's Test button names the account "0". None of that is an error, and none of it is about us.
    """
    signers = _Signers([sender for sender in senders if not secrets.isdisjoint(sender.settings.app_secrets)])
    trusted: list[TrustedChange] = []
    left_out = Counts()
    for change in changes:
        about = signers.of_number(change) if change.kind == "messages" else signers.of_account(change)
        if about:
            trusted.append(TrustedChange(change=change, sender_ids=tuple(sender.id for sender in about)))
        else:
            is_ours = bool(signers.of_account(change))
            left_out[LeftOut.FOREIGN_NUMBER if is_ours else LeftOut.FOREIGN_ACCOUNT] += 1
    return Claimed(changes=trusted, left_out=left_out)


class _Signers:
    """The senders whose secret signed a body, by what a change may name."""

    def __init__(self, senders: Iterable[SenderConfig[MetaSettings]]) -> None:
        self.by_account: dict[str, list[SenderConfig[MetaSettings]]] = {}
        self.by_number: dict[str, list[SenderConfig[MetaSettings]]] = {}
        for sender in senders:
            self.by_account.setdefault(sender.settings.business_account_id, []).append(sender)
            self.by_number.setdefault(sender.settings.phone_number_id, []).append(sender)

    def of_account(self, change: Change) -> Sequence[SenderConfig[MetaSettings]]:
        """Those of the account that it names."""
        return self.by_account.get(change.account_id, ()) if change.account_id else ()

    def of_number(self, change: Change) -> Sequence[SenderConfig[MetaSettings]]:
        """Those of the number that it names; the account must match too, unless none was configured."""
        if not change.phone_number_id:
            return ()
        named = self.by_number.get(change.phone_number_id, ())
        return [sender for sender in named if sender.settings.business_account_id in ("", change.account_id)]


# Meta's JSON is read with tolerance: what has an unexpected shape is empty.


def text(value: object) -> str:
    """A string, or a whole number as one: Meta writes ids as both."""
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20
    return str(value) if is_number else ""


def an_object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
