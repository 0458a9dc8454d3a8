"""What Meta says of an access token and of the app that it belongs to (`debug_token`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from channels.base import SenderConfig
from channels.findings import Finding, fail, ok, warn
from channels.providers.meta import graph
from channels.providers.meta.graph import Reply, word
from channels.providers.meta.settings import MetaSettings
from core import http

# Meta, "Permissions": one for templates and subscriptions, one for messages.
_SCOPES = ("whatsapp_business_management", "whatsapp_business_messaging")
# Refused credentials, and no trouble of another kind: too many calls, Meta is down.
_REFUSED = frozenset({101, 102, 104, 190})
_SOON = timedelta(days=14)
_REPLACE = "Make one that never expires (Business settings, System users, Generate token), and store it here."


@dataclass(frozen=True, kw_only=True)
class Token:
    """`expires_at` is None for one that does not expire. `accounts`: the business accounts that it may manage, where
    Meta names them."""

    reply: Reply
    is_told: bool = False  # the answer says something of it
    is_valid: bool = False
    app_id: str = ""
    app: str = ""
    scopes: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    accounts: tuple[str, ...] = ()


def read(sender: SenderConfig[MetaSettings], client: http.HttpClient) -> Token:
    """Of the sender's own token, asked with itself. Raises AnswerLost, SendError when Meta cannot be reached."""
    token = sender.settings.access_token.get_secret_value()
    reply = graph.get(client, sender, "debug_token", {"input_token": token})
    data = reply.body.get("data")
    if reply.problem or not isinstance(data, dict):
        return Token(reply=reply)
    scopes, seconds = data.get("scopes"), data.get("expires_at")
    return Token(
        reply=reply,
        is_told=True,
        is_valid=data.get("is_valid") is True,
        app_id=str(data.get("app_id") or "")[:40],
        app=word(data, "application")[:100],
        scopes=frozenset(item for item in scopes if isinstance(item, str))
        if isinstance(scopes, list)
        else frozenset(),
        expires_at=_moment(seconds),
        accounts=tuple(_accounts(data.get("granular_scopes"))),
    )


def _moment(seconds: object) -> datetime | None:
    is_usable = isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds < 32_503_680_000
    return datetime.fromtimestamp(int(str(seconds)), UTC) if is_usable else None


def _accounts(scopes: object) -> Iterator[str]:
    for scope in scopes if isinstance(scopes, list) else ():
        if isinstance(scope, dict) and scope.get("scope") == _SCOPES[0]:
            targets = scope.get("target_ids")
            yield from (str(target)[:40] for target in (targets if isinstance(targets, list) else ()))


def findings(token: Token) -> Iterator[Finding]:
    """What is to be said of a token that Meta tells about."""
    if not token.is_told:
        why = token.reply.why or "its answer cannot be read"
        yield warn(f"Meta does not tell about the token: {why}", "Check again in a minute.")
        return
    if not token.is_valid:
        yield fail("Meta says that the token is not valid", _REPLACE)
        return
    if missing := [scope for scope in _SCOPES if scope not in token.scopes]:
        yield fail(
            f"the token lacks the permission {' and '.join(missing)}",
            "Generate a new token for the system user and tick these permissions.",
        )
    else:
        yield ok(f"the token has the permissions {' and '.join(_SCOPES)}")
    yield _expiry(token.expires_at)


def _expiry(expires_at: datetime | None) -> Finding:
    if expires_at is None:
        return ok("the token does not expire")
    left, day = expires_at - timezone.now(), f"{expires_at:%Y-%m-%d %H:%M} UTC"
    if left <= timedelta(0):
        return fail(f"the token expired at {day}", _REPLACE)
    if left < _SOON:
        return warn(f"the token expires at {day}: no code is sent after that", _REPLACE)
    return ok(f"the token works until {day}")


def app_secret(
    token: Token, sender: SenderConfig[MetaSettings], client: http.HttpClient
) -> Iterator[Finding]:
    """Whether the app secret is that of the token's app: only with it Meta takes `{app id}|{secret}` for a token.

    Not known when the token does not tell its app. A webhook of another app than the token's would be signed by that
    one; then only a report shows whether the secret is right.
    """
    secret = sender.settings.app_secret.get_secret_value()
    if not secret:
        yield fail(
            "no app secret is stored: no report is believed", "Store it: App settings, Basic, App secret."
        )
        return
    if not token.app_id:
        return
    query = {"input_token": sender.settings.access_token.get_secret_value()}
    reply = graph.get(client, sender, "debug_token", query, token=f"{token.app_id}|{secret}")
    app = f"the app {token.app or token.app_id}"
    if not reply.problem:
        yield ok(f"the app secret belongs to {app}")
    elif reply.code not in _REFUSED:
        yield warn(f"whether the app secret fits is not known: {reply.why}", "Check again in a minute.")
    else:
        yield fail(
            f"the app secret does not belong to {app}: {reply.why}",
            f"Store the App secret of {app} (App settings, Basic): reports are refused without it.",
        )
