"""What a file asks for, once it is read. Field names are those of the models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

# The file's names of sender fields, in the order in which they are written.
WHATSAPP_FIELDS = {
    "phone_number_id": "phone_number_id",
    "business_account_id": "business_account_id",
    "access_token": "access_token",
    "app_secret": "app_secret",
    "app_secret_previous": "app_secret_previous",
    "verify_token": "verify_token",
}
SMS_FIELDS = {
    "twilio": {
        "account_sid": "account_sid",
        "auth_token": "auth_token",
        "auth_token_previous": "auth_token_previous",
        "from": "from_number",
        "messaging_service_sid": "messaging_service_sid",
    },
    "http": {"url": "url", "signing_secret": "signing_secret"},
    "console": {},
    "memory": {},
}
# Keys of `login_methods`, `otp`, `fallback` and `countries`, and the model fields behind them.
METHOD_FIELDS = {
    "login_methods": {
        "identifier": "identifier",
        "authentication": "authentication",
        "verify_phone_by": "verify_phone_by",
    },
    "otp": {
        "length": "otp_length",
        "valid_seconds": "otp_valid_seconds",
        "resend_after_seconds": "resend_after_seconds",
        "max_attempts": "max_attempts",
    },
    "fallback": {"enabled": "fallback_enabled", "wait_seconds": "fallback_wait_seconds"},
    "countries": {"allowed": "countries_allowed", "pinned": "countries_pinned"},
}

# The file's names of client fields, in the order in which they are written. Lists are stored as lines or as JSON.
CLIENT_FIELDS = {
    "name": "name",
    "redirect_uris": "redirect_uris",
    "post_logout_redirect_uris": "post_logout_redirect_uris",
    "origins": "allowed_origins",
    "first_party": "skip_authorization",
    "scopes": "scopes",
    "pkce_required": "pkce_required",
    "backchannel_logout_uri": "backchannel_logout_uri",
    "jwks": "jwks",
    "algorithm": "algorithm",
}


@dataclass(frozen=True, kw_only=True)
class SenderWish:
    """`values` holds every plain field; `secrets` those that the file names (others keep what is stored)."""

    path: str
    channel: str
    provider: str
    values: Mapping[str, object]
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class TestNumberWish:
    __test__ = False

    path: str
    phone: str
    code: str | None = field(repr=False)  # None: keep what is stored
    until: date


@dataclass(frozen=True, kw_only=True)
class ClientWish:
    """`values` holds every key of CLIENT_FIELDS."""

    path: str
    client_id: str
    client_type: str
    secret: str = field(repr=False)  # empty: keep what is stored
    values: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class ProjectWish:
    path: str
    slug: str
    name: str
    is_default: bool
    domains: tuple[str, ...]
    methods: Mapping[str, object]
    test_numbers: tuple[TestNumberWish, ...]
    senders: tuple[SenderWish, ...]
    clients: tuple[ClientWish, ...]


@dataclass(frozen=True, kw_only=True)
class FileWish:
    shared: tuple[SenderWish, ...]
    projects: tuple[ProjectWish, ...]
