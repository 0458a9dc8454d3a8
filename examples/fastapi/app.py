"""A FastAPI application whose users log in with authsvc, by Authlib."""

import html
import json
import os
import secrets
from typing import Any
from urllib.parse import parse_qs

from authlib.integrations.starlette_client import OAuth, OAuthError
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.middleware.sessions import SessionMiddleware

ISSUER = os.environ.get("ISSUER", "http://localhost:8000")
CLIENT_ID = os.environ.get("CLIENT_ID", "example-fastapi")
BASE = f"http://localhost:{os.environ.get('PORT', '8002')}"

oauth = OAuth()
oauth.register(
    "authsvc",
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_id=CLIENT_ID,
    client_secret=os.environ.get("CLIENT_SECRET", "example-fastapi-secret-not-for-production"),
    client_kwargs={"scope": "openid phone", "code_challenge_method": "S256"},
)
app = FastAPI()
# Cookies are shared by all ports of localhost, so each application there needs a name of its own.
app.add_middleware(SessionMiddleware, secret_key=secrets.token_urlsafe(), session_cookie="example_fastapi")
LOGOUT_CLAIMS = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": CLIENT_ID},
    exp={"essential": True},
    sid={"essential": True},
    events={"essential": True},
)
# Tokens stay on the server, under a key in the browser's cookie. A real application would use a database.
logins: dict[str, dict[str, Any]] = {}


@app.get("/")
async def home(request: Request) -> HTMLResponse:
    tokens = logins.get(request.session.get("login", ""))
    if tokens is None:
        return HTMLResponse('<h1>FastAPI example</h1><a href="/login">Log in</a>')
    claims = html.escape(json.dumps(tokens["userinfo"], indent=2))
    return HTMLResponse(
        f"<h1>Hello, {html.escape(tokens['userinfo']['phone_number'])}</h1><pre>{claims}</pre>"
        '<form method="post" action="/refresh"><button>Refresh</button></form>'
        '<form method="post" action="/logout"><button>Log out</button></form>'
    )


@app.get("/login")
async def login(request: Request) -> Response:
    return await oauth.authsvc.authorize_redirect(request, f"{BASE}/auth")


@app.get("/auth")
async def callback(request: Request) -> Response:
    tokens = await oauth.authsvc.authorize_access_token(request)  # state, nonce and signature are checked
    request.session["login"] = secrets.token_urlsafe()
    logins[request.session["login"]] = tokens
    return RedirectResponse("/", 303)


@app.post("/refresh")
async def refresh(request: Request) -> Response:
    tokens = logins.pop(request.session.get("login", ""), None)
    if tokens is None:
        return RedirectResponse("/", 303)
    new = await oauth.authsvc.fetch_access_token(
        grant_type="refresh_token", refresh_token=tokens["refresh_token"]
    )
    new["userinfo"] = await oauth.authsvc.parse_id_token(new, nonce=None)
    logins[request.session["login"]] = new  # with a new refresh token: the old one is used up
    return RedirectResponse("/", 303)


@app.post("/logout")
async def logout(request: Request) -> Response:
    tokens = logins.pop(request.session.pop("login", ""), {})
    return await oauth.authsvc.logout_redirect(
        request, f"{BASE}/", tokens.get("id_token"), client_id=CLIENT_ID
    )


@app.post("/backchannel-logout")
async def backchannel_logout(request: Request) -> Response:
    """authsvc reports that a session ended: here, in another application, or on the account page."""
    sent = parse_qs((await request.body()).decode())
    keys = KeySet.import_key_set(await oauth.authsvc.fetch_jwk_set(force=True))
    try:
        token = jwt.decode(sent["logout_token"][0], keys, algorithms=["ES256"])
        LOGOUT_CLAIMS.validate(token.claims)
    except (KeyError, ValueError, JoseError):
        return Response(status_code=400)
    if token.header.get("typ") != "logout+jwt" or "nonce" in token.claims:
        return Response(status_code=400)
    for key in [key for key, login in logins.items() if login["userinfo"]["sid"] == token.claims["sid"]]:
        del logins[key]
    return Response(status_code=204)


@app.exception_handler(OAuthError)
async def refused(_request: Request, error: OAuthError) -> HTMLResponse:
    return HTMLResponse(f'<p>{html.escape(str(error))}</p><a href="/">Back</a>', status_code=400)
