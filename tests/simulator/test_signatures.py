"""Signatures against the vendors' own examples and against an independent validator."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped] # no py.typed

from simulator.gateway import signature as gateway
from simulator.meta.webhooks import hub_signature
from simulator.twilio.callbacks import twilio_signature

DELIVERED = {
    "object": "whatsapp_business_account",
    "entry": [{"id": "220011223344556", "changes": [{"value": {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100999", "phone_number_id": "330022114455667"},
        "statuses": [{
            "id": "wamid.HBgNNTIxNTU1MDEwMDEyMxUCABEYEkNBOTc4MTEyQ0ExQkJEQ0FGQQA=",
            "status": "delivered",
            "timestamp": "1795428004",
            "recipient_id": "5215550100123",
            "biz_opaque_callback_data": "att_9f2c71d04be8",
            "pricing": {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "authentication"},
        }],
    }, "field": "messages"}]}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (
            json.dumps(DELIVERED, separators=(",", ":")),
            "064fe7f4440cbd5ff4b3748409ae442d9918d862ea6650f6afc69d61cbaedeaa",
        ),
        (
            r'{"t":"\u00e4\u00f6\u00e5","u":"a\/b"}',
            "4ff338568237abb33fec5a5fe6aa185fdc93bfc32cfeedaac3ad724f61301995",
        ),
        ('{"t":"äöå","u":"a/b"}', "8eec8806fa09e83c4946bbd29ca07bdbbfffdc2eda3223652f2c6e46b1d15979"),
    ],
    ids=["compact", "escaped", "re-serialised"],
)
def test_hub_signature_covers_the_exact_bytes(body: str, signature: str) -> None:
    secret = "00112233445566778899aabbccddeeff"

    assert hub_signature(app_secret=secret, body=body.encode()) == f"sha256={signature}"


CALLBACK = {
    "ApiVersion": "2010-04-01",
    "AccountSid": "AC00000000000000000000000000000001",
    "MessagingServiceSid": "MG00000000000000000000000000000002",
    "From": "+15550100888",
    "To": "+525550100123",
    "MessageSid": "SMeccbc87e4b5ce2fe28308fd9f2a7baf3",
    "SmsSid": "SMeccbc87e4b5ce2fe28308fd9f2a7baf3",
    "MessageStatus": "undelivered",
    "SmsStatus": "undelivered",
    "ErrorCode": "30003",
    "RawDlrDoneDate": "2611231001",
}
DOCUMENTED = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}


@pytest.mark.parametrize(
    ("token", "url", "form", "signature"),
    [
        ("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", DOCUMENTED, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (
            "0123456789abcdef0123456789abcdef",
            "https://auth.example.net/twilio/status",
            CALLBACK,
            "qHPBmHqSgZjYHAsdNqSGzl85r7A=",
        ),
    ],
    ids=["documentation", "callback"],
)
def test_twilio_signature_is_that_of_the_documentation(
    token: str, url: str, form: dict[str, str], signature: str
) -> None:
    assert twilio_signature(auth_token=token, url=url, form=form) == signature


@pytest.mark.parametrize(
    "url",
    ["https://a.example/x", "http://localhost:8000/sms/twilio/status?d=1&e=ä", "https://a.example/x#rc=2"],
)
@pytest.mark.parametrize("form", [{}, {"b": "", "A": "1", "a": "ü"}])
def test_twilios_validator_accepts_our_signatures(url: str, form: dict[str, str]) -> None:
    signature = twilio_signature(auth_token="secret", url=url, form=form)

    assert RequestValidator("secret").validate(url.partition("#")[0], form, signature)


def test_gateway_signature_is_hmac_over_time_and_body() -> None:
    expected = hmac.new(b"secret", b"1795428000.{}", hashlib.sha256).hexdigest()

    assert (
        gateway.gateway_signature(secret="secret", timestamp=1795428000, body=b"{}")
        == f"t=1795428000,v1={expected}"
    )


@pytest.mark.parametrize(
    ("changes", "valid"),
    [
        ({}, True),
        ({"now": 1795428300}, True),
        ({"now": 1795428301}, False),
        ({"now": 1795427699}, False),
        ({"body": b"[]"}, False),
        ({"secret": "other"}, False),
        ({"header": ""}, False),
        ({"header": "t=1795428000"}, False),
        ({"header": "v1=abc"}, False),
        ({"header": "t=x,v1=abc"}, False),
        ({"header": "t=1795428000,v1=ä"}, False),
    ],
    ids=str,
)
def test_gateway_signatures_must_be_right_and_fresh(changes: dict[str, Any], valid: bool) -> None:
    header = gateway.gateway_signature(secret="secret", timestamp=1795428000, body=b"{}")
    given = {"secret": "secret", "header": header, "body": b"{}", "now": 1795428000, **changes}

    assert gateway.is_valid(**given) is valid
