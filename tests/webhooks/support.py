"""Bodies and signatures as the providers make them, written out here so that nothing is tested against itself."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from channels.base import SenderConfig
from channels.types import Channel
from tests.channels.support import config
from tests.fixtures.load import compact
from webhooks.base import check_signature
from webhooks.meta import WEBHOOK, authentication
from webhooks.meta import items as meta_items

SECRET = "00112233445566778899aabbccddeeff"
OTHER_SECRET = "ffeeddccbbaa99887766554433221100"
ACCOUNT, NUMBER, SECOND_NUMBER = "220011223344556", "330022114455667", "330055443322110"
OTHER_ACCOUNT, OTHER_NUMBER = "220099887766554", "330077665544332"
WAMID = "wamid.HBgNNTIxNTU1MDEwMDEyMxUCABEYEkNBOTc4MTEyQ0ExQkJEQ0FGQQA="


def sender(**fields: Any) -> SenderConfig[Any]:
    values: dict[str, Any] = {
        "phone_number_id": NUMBER,
        "business_account_id": ACCOUNT,
        "app_secrets": (SECRET,),
    }
    return config("meta", Channel.WHATSAPP, values | fields)


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def change(number: str | None = NUMBER, *, field: str = "messages", **value: Any) -> dict[str, Any]:
    metadata = {"metadata": {"phone_number_id": number}} if number else {}
    return {"field": field, "value": metadata | value}


def payload(*changes: dict[str, Any], account: str = ACCOUNT) -> dict[str, Any]:
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": account, "changes": list(changes)}],
    }


def status(word: str = "delivered", **fields: Any) -> dict[str, Any]:
    return {"id": WAMID, "status": word, "timestamp": "1795428012", "recipient_id": "5215550100123"} | fields


def reporting(*statuses: Any) -> bytes:
    """A body with these statuses of our number."""
    return compact(payload(change(statuses=list(statuses))))


def twilio_signature(token: str, url: str, form: Mapping[str, str]) -> str:
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


FIXTURE_SENDERS = [
    sender(),
    sender(phone_number_id=SECOND_NUMBER),
    sender(phone_number_id=OTHER_NUMBER, business_account_id=OTHER_ACCOUNT),
]


NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)  # the captured bodies are of the half hour before


def claimed(
    body: bytes, senders: list[SenderConfig[Any]], signature: str | None = None
) -> authentication.Claimed:
    header = signed(body) if signature is None else signature
    check_signature(WEBHOOK.signature, header)
    secrets = authentication.authenticate(body, signature=header, senders=senders)
    return authentication.claim(authentication.read(body).changes, secrets=secrets, senders=senders)


def trusted(
    body: bytes, senders: list[SenderConfig[Any]], signature: str | None = None
) -> list[authentication.TrustedChange]:
    return list(claimed(body, senders, signature).changes)


def items(body: bytes, senders: list[SenderConfig[Any]] | None = None) -> meta_items.Items:
    return meta_items.translate(trusted(body, senders or [sender()]), now=NOW)


def vonage_token(
    secret: str, body: bytes, *, api_key: str = "abcd1234", alg: str = "HS256", **claims: Any
) -> str:
    """The Authorization header of a signed webhook."""
    known = {"iat": 1_795_428_000, "jti": "aa", "iss": "Vonage", "api_key": api_key}
    known |= {"payload_hash": hashlib.sha256(body).hexdigest()} | claims
    parts = [_url_safe(json.dumps(part).encode()) for part in ({"alg": alg, "typ": "JWT"}, known)]
    signed = ".".join(parts)
    return f"Bearer {signed}.{_url_safe(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def gateway_signature(secret: str, body: bytes, *, at: int) -> str:
    """The X-Authsvc-Signature header of a gateway's report."""
    digest = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
