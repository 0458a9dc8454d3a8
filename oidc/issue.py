"""Tokens of a login through the API: family, access and refresh token, written by the statement that judges the code on
PostgreSQL, with a portable form for SQLite. Every API login makes this write; the other hot writes are in otp.store."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core import sql
from core.ids import new_id
from oidc import policy, tokens
from oidc.models import Client
from oidc.types import Login
from users import amr

_TOKENS = sql.load(Path(__file__).with_name("issue.sql"))
_AMR, _AMR_WITH_SMS = (json.dumps(amr.methods(sms_sent=sms_sent)) for sms_sent in (False, True))


@dataclass(frozen=True, kw_only=True)
class NewTokens:
    """The first tokens of a login at a client, made and not stored yet."""

    client: Client
    scope: str
    issuer: str
    family_id: uuid.UUID
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)

    def queries(self) -> sql.WithQueries:
        """What stores them in the statement of PostgreSQL that judges the code (otp.store.verify.judge)."""
        return sql.WithQueries(
            text=_TOKENS,
            parameters={
                "family": self.family_id,
                "client": self.client.pk,
                "scope": self.scope,
                "issuer": self.issuer,
                "amr": _AMR,
                "amr_with_sms": _AMR_WITH_SMS,
                "family_valid": policy.FAMILY_VALID,
                "access": tokens.hash_token(self.access_token),
                "access_valid": policy.ACCESS_VALID,
                "refresh": tokens.hash_token(self.refresh_token),
            },
        )

    def store(self, login: Login) -> None:
        """The portable form, in the transaction that consumes the challenge. A login without a browser: `sid` is the
        family's id."""
        family = tokens.new_family(
            client=self.client,
            login=login,
            scopes=self.scope.split(),
            issuer=self.issuer,
            key=self.family_id,
            now=login.auth_time,
        )
        family.used_at = family.created_at
        family.save(force_insert=True)
        tokens.store_tokens(
            family, self.access_token, self.refresh_token, scope=self.scope, now=family.created_at
        )


def new_tokens(*, client: Client, scopes: Sequence[str], issuer: str) -> NewTokens:
    return NewTokens(
        client=client,
        scope=" ".join(scopes),
        issuer=issuer,
        family_id=new_id(),
        access_token=tokens.new_token(),
        refresh_token=tokens.new_token(),
    )
