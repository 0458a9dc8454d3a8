"""Senders of every provider, as a file has them."""

from typing import Any

# Every provider with every key that it has.
FULL: dict[tuple[str, str], dict[str, Any]] = {
    ("whatsapp", "meta"): {
        "phone_number_id": "100200300400500", "business_account_id": "500400300200100", "access_token": "token", "app_secret": "app",
        "app_secret_previous": "old", "verify_token": "verify", "template": {"name": "login_code", "languages": ["en", "pt_BR"]},
    },
    ("sms", "twilio"): {
        "account_sid": f"AC{'0' * 32}", "auth_token": "token", "auth_token_previous": "old", "from": "+15005550006",
    },
    ("sms", "vonage"): {
        "api_key": "abcd1234", "api_secret": "secret", "signature_secret": "sign", "signature_secret_previous": "old", "from": "Acme",
    },
    ("sms", "http"): {"url": "https://gateway.example/send", "signing_secret": "sign", "signing_secret_previous": "old"},
    ("sms", "memory"): {},
    ("sms", "console"): {},
    ("whatsapp", "memory"): {"phone_number_id": "any", "template": {"name": "any", "languages": ["en"]}},
}  # fmt: skip


def flat(keys: dict[str, Any]) -> dict[str, Any]:
    inner = {f"template.{key}": value for key, value in keys.get("template", {}).items()}
    return {key: value for key, value in keys.items() if key != "template"} | inner


def section(channel: str, provider: str, changes: dict[str, Any]) -> dict[str, Any]:
    """With a key as `a.b` in the section within; one that is None is left out."""
    keys = {"provider": provider} | flat(FULL[channel, provider]) | changes
    nested: dict[str, Any] = {}
    for key, value in keys.items():
        group, _, name = key.rpartition(".")
        if value is not None:
            (nested.setdefault(group, {}) if group else nested)[name] = value
    return nested
