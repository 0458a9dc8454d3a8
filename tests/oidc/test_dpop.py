"""Tokens bound to a client's key (RFC 9449). J23, J10, J11."""

import time
import warnings
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from core.ids import new_id
from oidc import dpop, replay
from oidc.keys import thumbprint
from tests.login.conftest import Page
from tests.oidc.app import App, answer_of

pytestmark = pytest.mark.django_db

KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
OTHER = ec.generate_private_key(ec.SECP256R1())
TOKEN, USERINFO = "http://testserver/oauth2/token/", "http://testserver/oauth2/userinfo/"


def proof(key: Any = KEY, *, url: str = TOKEN, method: str = "POST", **changes: Any) -> str:
    public = key.public_key()
    is_ec = isinstance(key, ec.EllipticCurvePrivateKey)
    jwk = ECAlgorithm.to_jwk(public, as_dict=True) if is_ec else RSAAlgorithm.to_jwk(public, as_dict=True)
    header: dict[str, Any] = {"typ": "dpop+jwt", "jwk": jwk} | changes.pop("header", {})
    claims = {"jti": str(new_id()), "htm": method, "htu": url, "iat": int(time.time())} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    with warnings.catch_warnings(action="ignore"):  # PyJWT warns of the weak key that one test wants
        return jwt.encode(claims, key, algorithm="ES256" if is_ec else "RS256", headers=header)


def userinfo(app: App, token: str, *, scheme: str = "DPoP", sent: str | None = None) -> Page:
    headers = {"HTTP_AUTHORIZATION": f"{scheme} {token}"} | ({"HTTP_DPOP": sent} if sent else {})
    return app.http.get("/oauth2/userinfo/", **headers)  # type: ignore[arg-type] # META


def for_userinfo(token: str, key: Any = KEY, **changes: Any) -> str:
    return proof(key, url=USERINFO, method="GET", **({"ath": dpop.token_hash(token)} | changes))


@pytest.mark.parametrize("key", [KEY, RSA_KEY], ids=["ec", "rsa"])
def test_tokens_are_bound_to_the_key_that_was_shown(app: App, key: Any) -> None:
    """J23"""
    page = app.exchange(app.code(), HTTP_DPOP=proof(key))
    assert page.status_code == 200, page.content
    tokens = page.json()
    assert tokens["token_type"] == "DPoP"
    access = tokens["access_token"]

    assert userinfo(app, access, sent=for_userinfo(access, key)).status_code == 200
    stolen = [
        userinfo(app, access, scheme="Bearer"),
        userinfo(app, access),
        userinfo(app, access, sent=for_userinfo(access, OTHER)),
        userinfo(app, access, scheme="Bearer", sent=for_userinfo(access, key)),
    ]
    assert [page.status_code for page in stolen] == [401] * 4
    assert all("WWW-Authenticate" in page for page in stolen)


def test_refreshing_needs_the_key(app: App) -> None:
    tokens = app.exchange(app.code(), HTTP_DPOP=proof()).json()
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    assert app.post("/oauth2/token/", fields).json()["error"] == "invalid_grant"
    assert app.post("/oauth2/token/", fields, HTTP_DPOP=proof(OTHER)).json()["error"] == "invalid_grant"
    renewed = app.post("/oauth2/token/", fields, HTTP_DPOP=proof()).json()
    assert renewed["token_type"] == "DPoP"


def test_a_code_may_be_bound_to_a_key(app: App) -> None:
    """RFC 9449 10"""
    wanted = thumbprint(KEY.public_key())

    code = app.code(dpop_jkt=wanted)

    assert app.exchange(code).json()["error"] == "invalid_grant"
    assert app.exchange(code, HTTP_DPOP=proof(OTHER)).json()["error"] == "invalid_grant"
    assert app.exchange(code, HTTP_DPOP=proof()).status_code == 200
    assert answer_of(app.authorize(dpop_jkt="short"))["error"] == "invalid_request"


def test_a_proof_binds_a_pushed_request(app: App) -> None:
    """RFC 9449 10.1: a code for it is of use to the holder of the key only."""

    def push(*, sent: str, **changes: str) -> Page:
        return app.post("/oauth2/par/", app.parameters() | changes, HTTP_DPOP=sent)

    url = "http://testserver/oauth2/par/"
    for refused in (
        push(sent="nonsense"),
        push(sent=proof(url=TOKEN)),
        push(sent=proof(url=url), dpop_jkt=thumbprint(OTHER.public_key())),
    ):
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    sent = proof(url=url)
    named = {"client_id": "acme-web", "request_uri": push(sent=sent).json()["request_uri"]}
    assert push(sent=sent).json()["error"] == "invalid_dpop_proof"

    page = app.browser.client.get(f"/oauth2/authorize/?{urlencode(named)}")
    code = answer_of(app.sign_in(page))["code"]

    assert app.exchange(code, HTTP_DPOP=proof(OTHER)).json()["error"] == "invalid_grant"
    assert app.exchange(code, HTTP_DPOP=proof()).status_code == 200


def test_introspection_shows_the_key(server_app: App) -> None:
    tokens = server_app.exchange(server_app.code(), HTTP_DPOP=proof()).json()

    found = server_app.post("/oauth2/introspect/", {"token": tokens["access_token"]}).json()

    assert found["cnf"] == {"jkt": thumbprint(KEY.public_key())}
    assert found["token_type"] == "DPoP"


def test_bearer_tokens_stay_bearer_tokens(app: App) -> None:
    tokens = app.tokens()

    assert userinfo(app, tokens["access_token"], sent=for_userinfo(tokens["access_token"])).status_code == 401
    assert app.userinfo(tokens["access_token"]).status_code == 200


def bad_proofs() -> dict[str, str]:
    good = proof().split(".")
    return {
        "typ": proof(header={"typ": "JWT"}),
        "no key": proof(header={"jwk": None}),
        "private key": proof(header={"jwk": ECAlgorithm.to_jwk(KEY, as_dict=True)}),
        "another key": proof(header={"jwk": ECAlgorithm.to_jwk(OTHER.public_key(), as_dict=True)}),
        "weak key": proof(WEAK_KEY),
        "symmetric": jwt.encode(
            {"jti": "1", "htm": "POST", "htu": TOKEN, "iat": int(time.time())},
            "k" * 64,
            algorithm="HS256",
            headers={"typ": "dpop+jwt", "jwk": {"kty": "oct", "k": "a2tr"}},
        ),
        "none": jwt.encode({"jti": "1"}, "", algorithm="none", headers={"typ": "dpop+jwt"}),
        "method": proof(method="GET"),
        "address": proof(url=USERINFO),
        "host": proof(url="https://evil.example/oauth2/token/"),
        "old": proof(iat=int(time.time()) - 120),
        "early": proof(iat=int(time.time()) + 120),
        "odd time": proof(iat="now"),
        "time that is no number": proof(iat=float("nan")),
        "huge time": proof(iat=10**400),
        "no jti": proof(jti=None),
        "no time": proof(iat=None),
        "signature": ".".join([*good[:2], "A" * len(good[2])]),
        "nonsense": "nonsense",
        "empty": "",
        "long": "x" * 5000,
    }


@pytest.mark.parametrize("name", sorted(bad_proofs()))
def test_bad_proofs_prove_nothing(app: App, name: str) -> None:
    """J11, RFC 9449 4.3: and cost the client nothing."""
    code = app.code()

    page = app.exchange(code, HTTP_DPOP=bad_proofs()[name])

    assert page.status_code == 400, name
    assert page.json()["error"] == "invalid_dpop_proof"
    assert app.exchange(code, HTTP_DPOP=proof()).status_code == 200


def test_a_proof_is_good_once(app: App) -> None:
    sent = proof()
    code = app.code()
    assert app.exchange(code, HTTP_DPOP=sent).status_code == 200

    assert app.exchange(app.code(), HTTP_DPOP=sent).json()["error"] == "invalid_dpop_proof"


def test_a_proof_of_a_refused_request_is_not_remembered(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """O6: strangers sign as many as they like; only what gave something fills the store."""
    remembered: list[str] = []
    real = replay.is_first_use

    def note(*, scope: str, identifier: str, seconds: int) -> bool:
        remembered.append(identifier)
        return real(scope=scope, identifier=identifier, seconds=seconds)

    monkeypatch.setattr(replay, "is_first_use", note)
    access = app.exchange(app.code(), HTTP_DPOP=proof(jti="right")).json()["access_token"]

    for nth in range(3):
        assert app.exchange("made-up", HTTP_DPOP=proof(jti=f"code {nth}")).json()["error"] == "invalid_grant"
        assert app.refresh("made-up").status_code == 400
        assert userinfo(app, "made-up", sent=for_userinfo("made-up", jti=f"token {nth}")).status_code == 401
        assert userinfo(app, access, sent=for_userinfo(access, OTHER, jti=f"key {nth}")).status_code == 401
    assert userinfo(app, access, sent=for_userinfo(access, jti="at last")).status_code == 200

    assert remembered == ["right", "at last"]


def test_a_proof_is_good_once_for_user_info_too(app: App) -> None:
    """O6"""
    access = app.exchange(app.code(), HTTP_DPOP=proof()).json()["access_token"]
    sent = for_userinfo(access)

    assert [userinfo(app, access, sent=sent).status_code for _ in range(2)] == [200, 401]


def test_a_used_proof_costs_no_code(app: App) -> None:
    """O6: the code of a request with a used proof is still good with a new one."""
    sent, first, second = proof(), app.code(), app.code()
    assert app.exchange(first, HTTP_DPOP=sent).status_code == 200

    assert app.exchange(second, HTTP_DPOP=sent).json()["error"] == "invalid_dpop_proof"
    assert app.exchange(second, HTTP_DPOP=proof()).status_code == 200


def test_a_proof_is_tied_to_its_token(app: App) -> None:
    access = app.exchange(app.code(), HTTP_DPOP=proof()).json()["access_token"]

    for sent in (for_userinfo("another"), for_userinfo(access, ath=None), for_userinfo(access, htm="POST")):
        page = userinfo(app, access, sent=sent)
        assert page.status_code == 401
        assert 'error="invalid_dpop_proof"' in page["WWW-Authenticate"]


def test_discovery_announces_dpop(app: App) -> None:
    found = app.http.get("/.well-known/openid-configuration").json()
    assert found["dpop_signing_alg_values_supported"] == list(dpop.ALGORITHMS)

    assert "DPoP algs=" in app.http.get("/oauth2/userinfo/")["WWW-Authenticate"]


def test_what_was_seen_is_known_in_its_own_scope() -> None:
    assert replay.is_first_use(scope="a", identifier="1", seconds=60)
    assert not replay.is_first_use(scope="a", identifier="1", seconds=60)
    assert replay.is_first_use(scope="b", identifier="1", seconds=60)
    assert replay.is_first_use(scope="a", identifier="2", seconds=60)


def test_without_the_store_nothing_is_believed(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """P9"""
    import redis

    class Away:
        def set(self, *_: object, **__: object) -> None:
            raise redis.ConnectionError

    code = app.code()
    monkeypatch.setattr(replay, "redis_client", Away)

    assert app.exchange(code, HTTP_DPOP=proof()).json()["error"] == "invalid_dpop_proof"


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "redis_client", lambda: None)
    monkeypatch.setattr(replay, "_MAX_ENTRIES", 3)

    found = [replay.is_first_use(scope="m", identifier=str(number), seconds=60) for number in range(5)]

    assert found == [True, True, True, False, False]
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    assert replay.is_first_use(scope="m", identifier="later", seconds=60)
