"""What a developer copies to log users in with a client: by redirect, with screens of their own, with the examples."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from oidc.models import Client

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """`text` is copied as it is."""

    title: "StrOrPromise"
    text: str


def facts(client: Client, issuer: str) -> list[tuple["StrOrPromise", str]]:
    """What every library asks for, label and value."""
    return [
        (_("Issuer"), issuer),
        (_("Discovery"), f"{issuer}/.well-known/openid-configuration"),
        (_("Client ID"), client.client_id),
        (_("Redirect URIs"), " ".join(client.redirect_uris.split())),
        (_("Signature of ID tokens"), client.algorithm),  # some libraries want to be told
    ]


def snippets(client: Client, issuer: str) -> list[Snippet]:
    redirect_uri = client.redirect_uris.split()[0]
    library = _openid_client if client.is_confidential else _oidc_client_ts
    return [
        Snippet(title=_("By redirect, with a library"), text=library(client, issuer, redirect_uri)),
        Snippet(
            title=_("By redirect: what the browser is sent to"), text=_authorize(client, issuer, redirect_uri)
        ),
        Snippet(title=_("With your own screens: the headless API"), text=_headless(client, issuer)),
        Snippet(title=_("Try it with an application under examples/"), text=_example(client, issuer)),
    ]


def _authorize(client: Client, issuer: str, redirect_uri: str) -> str:
    """The words in capitals are what a library makes anew for each login."""
    query = urlencode(
        {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid phone",
            "state": "STATE",
            "nonce": "NONCE",
            "code_challenge": "CHALLENGE",
            "code_challenge_method": "S256",
        }
    )
    return f"{issuer}/oauth2/authorize/?{query}"


def _oidc_client_ts(client: Client, issuer: str, redirect_uri: str) -> str:
    return f"""import {{ UserManager }} from "oidc-client-ts";

const manager = new UserManager({{
  authority: "{issuer}",
  client_id: "{client.client_id}",
  redirect_uri: "{redirect_uri}",
  scope: "openid phone",
}});
await manager.signinRedirect();"""


def _openid_client(client: Client, issuer: str, redirect_uri: str) -> str:
    return f"""import * as client from "openid-client";

const authsvc = await client.discovery(
  new URL("{issuer}"),
  "{client.client_id}",
  process.env.CLIENT_SECRET,
);
const verifier = client.randomPKCECodeVerifier();
const address = client.buildAuthorizationUrl(authsvc, {{
  redirect_uri: "{redirect_uri}",
  scope: "openid phone",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
}});"""


def _headless(client: Client, issuer: str) -> str:
    start: dict[str, str] = {"phone": "+447400123456"}
    who = ""
    if client.is_confidential:
        who = f' \\\n  -u "{client.client_id}:$CLIENT_SECRET"'
    else:
        start["client_id"] = client.client_id
    return f"""# Send a code; the answer has the id of the challenge.
curl -s {issuer}/api/v1/challenges{who} \\
  -H "Content-Type: application/json" \\
  -d '{json.dumps(start)}'
# The code as it was typed; the answer has the tokens.
curl -s {issuer}/api/v1/challenges/$ID/verify{who} \\
  -H "Content-Type: application/json" \\
  -d '{json.dumps({"code": "123456"})}'"""


def _example(client: Client, issuer: str) -> str:
    """README.md of each says the port that it opens on."""
    folder = "express" if client.is_confidential else "spa"
    settings = [f"export ISSUER={issuer}", f"export CLIENT_ID={client.client_id}"]
    if client.is_confidential:
        settings.append("export CLIENT_SECRET=…")
    return "\n".join([f"cd examples/{folder}", "npm install", *settings, "npm start"])
