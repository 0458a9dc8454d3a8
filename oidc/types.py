"""Values at the provider's interface. Frozen; no Django."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Login:
    """A login that tokens are issued for."""

    user_id: uuid.UUID
    sid: uuid.UUID | None  # the browser session; None without a browser
    auth_time: datetime
    amr: tuple[str, ...]
    session_hash: str = field(repr=False)  # users.models.session_hash


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """An OAuth 2.0 token response (RFC 6749 5.1) with its ID token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    id_token: str = field(repr=False)
    expires_in: int
    scope: str


@dataclass(frozen=True, kw_only=True)
class GrantLine:
    """An application that a user is signed in to, as their account page shows it."""

    client_id: str
    name: str
    scopes: tuple[str, ...]
    since: datetime
    last_used_at: datetime | None
    is_first_party: bool
