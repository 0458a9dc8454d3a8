"""What every endpoint asks of every parameter: little, once, and text."""

import base64
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.test import Client as Http
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from oidc import parameters
from oidc.models import PushedRequest
from tests.login.conftest import Page
from tests.oidc.app import SECRET, App, answer_of, basic, refusal
from tests.oidc.endpoint_parameters import ENDPOINTS, FORM, PLACES, post
from tests.oidc.test_par import bring

pytestmark = pytest.mark.django_db
# Of each kind of character that is refused: C0, delete, C1; and where they may stand in a text.
CONTROLS = ["\0", "\x01", "\t", "\n", "\r", "\x1b", "\x7f", "\x80", "\x9f"]


@pytest.mark.parametrize(("path", "name"), PLACES)
def test_no_control_character_passes_in_any_parameter(
    app: App, server_app: App, path: str, name: str
) -> None:
    """O5: in values, in names, in bodies and in addresses; nothing is written."""
    for control in CONTROLS:
        fields = ENDPOINTS[path] | ({f"x{control}": "1"} if name == "a name" else {name: f"a{control}b"})
        assert refusal(post(path, fields)) == "invalid_request", control
        assert refusal(post(f"{path}?{urlencode({'x': control})}", ENDPOINTS[path])) == "invalid_request"
    assert not PushedRequest.objects.exists()


@pytest.mark.parametrize("name", [*ENDPOINTS["/oauth2/par/"], "id_token_hint", "dpop_jkt"])
def test_none_passes_at_the_authorization_endpoint(app: App, name: str) -> None:
    """O5: the application is told, unless it is not known who that is; before a login and after it."""

    def check(page: Page, control: str) -> None:
        if name in ("client_id", "redirect_uri"):
            assert page.status_code == 400, control
            assert "Location" not in page, control
        else:
            assert answer_of(page)["error"] == "invalid_request", control

    wanted = {control: app.parameters(**{name: f"a{control}b"}) for control in CONTROLS}
    urls = {control: f"/oauth2/authorize/?{urlencode(fields)}" for control, fields in wanted.items()}
    for control in CONTROLS:
        check(app.browser.client.get(urls[control]), control)
        check(app.http.post("/oauth2/authorize/", wanted[control]), control)
    app.tokens()
    for control in CONTROLS:
        check(app.browser.client.get(urls[control]), control)


@pytest.mark.parametrize(
    "path", ["/oauth2/token/", "/oauth2/par/", "/oauth2/revoke_token/", "/oauth2/introspect/"]
)
@pytest.mark.parametrize("control", CONTROLS)
def test_none_passes_in_the_authorization_header(server_app: App, path: str, control: str) -> None:
    """O5: raw within base64, and percent-encoded within that."""
    fields = {name: value for name, value in ENDPOINTS[path].items() if not name.startswith("client")}
    plain = base64.b64encode(f"acme{control}:{SECRET}".encode()).decode()

    for header in (
        basic(f"acme-{control}server", SECRET),
        basic("acme-server", f"x{control}"),
        f"Basic {plain}",
    ):
        assert refusal(post(path, fields, HTTP_AUTHORIZATION=header)) == "invalid_request"


@pytest.mark.parametrize("path", list(ENDPOINTS))
@pytest.mark.parametrize(
    "body", ["a=%ED%A0%80", "a=%FF%FE", "a=%C0%80", "%00=1", "a=%", "a=%zz", "&&&", "=", "a", "a=\xff"]
)
def test_bytes_that_are_no_text_break_nothing(app: App, server_app: App, path: str, body: str) -> None:
    """O5: lone surrogates, overlong NUL, broken escapes."""
    good = urlencode(ENDPOINTS[path])
    page = Http().post(path, f"{good}&{body}", content_type=FORM)

    assert 200 <= page.status_code < 500
    if page.status_code >= 400 and page.status_code != 401:
        assert page.json()["error"]


@pytest.mark.parametrize("path", [path for path in ENDPOINTS if "userinfo" not in path])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (f"{FORM}; charset=utf-16", "a=b"),
        (f"{FORM}; charset=iso-8859-1", "a=b"),
        ("multipart/form-data", "a=b"),
        ("multipart/form-data; boundary=x", "--x\r\n"),
        ("application/json", '{"client_id": "\\u0000"}'),
        (FORM, "a=1&" * 1100),
        (FORM, "&".join(f"p{nth}=" for nth in range(60))),
    ],
)
def test_bodies_that_are_no_small_form_are_refused(app: App, path: str, content_type: str, body: str) -> None:
    """O5, O6: all in the protocol's own words."""
    page = Http().generic("POST", path, body.encode(), content_type=content_type)

    assert refusal(page) == "invalid_request"


ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.mark.parametrize("path", ["/oauth2/authorize/", *ENDPOINTS])
@examples(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_sent_is_no_crash(app: App, path: str, data: st.DataObject) -> None:
    """O5: any text in any parameters; what holds a control character is never a success."""
    good = ENDPOINTS.get(path) or app.parameters()
    chosen = data.draw(st.dictionaries(st.sampled_from([*good, "x"]), ANY, max_size=4))
    wanted = good | chosen
    act: Callable[..., Page] = app.browser.client.get if "authorize" in path else Http().post
    page = act(f"{path}?{urlencode(wanted)}") if "authorize" in path else post(path, wanted)

    assert page.status_code < 500
    if not all(map(parameters.is_text, chosen.values())):
        if page.status_code == 302:
            assert answer_of(page)["error"] == "invalid_request"
        else:
            assert page.status_code in (400, 404)


@given(text=st.text(max_size=20))
def test_text_is_what_has_no_control_characters_and_no_half_pairs(text: str) -> None:
    """O5: by Unicode's own categories."""
    import unicodedata

    assert parameters.is_text(text) is not any(unicodedata.category(one) in ("Cc", "Cs") for one in text)


@pytest.mark.parametrize(("path", "name"), [place for place in PLACES if place[1] != "a name"])
def test_a_parameter_without_a_value_is_one_left_out(app: App, server_app: App, path: str, name: str) -> None:
    """O5, RFC 6749 3.2: an empty `code` is no crash."""
    without = {key: value for key, value in ENDPOINTS[path].items() if key != name}

    empty, missing = post(path, without | {name: ""}), post(path, without)

    assert empty.status_code == missing.status_code < 500
    if empty.status_code >= 400 and empty.content:
        assert empty.json()["error"] == missing.json()["error"]


@pytest.mark.parametrize("name", list(ENDPOINTS["/oauth2/par/"]))
def test_nor_is_one_at_the_authorization_endpoint(app: App, name: str) -> None:
    """O5, RFC 6749 3.1"""
    page = app.authorize(**{name: ""})

    assert page.status_code in (302, 303, 400)
    if page.status_code == 302:
        assert answer_of(page)["error"]


# Repeated --------------------------------------------------------------------------------------------------


def test_several_resources_are_ignored(app: App, server_app: App) -> None:
    """O4, RFC 8707: at the authorization endpoint, in what is pushed, at the token endpoint, when refreshing."""
    more = [("resource", "https://one.example"), ("resource", "https://two.example/x?y")]
    for client, http in ((app, app.http), (server_app, server_app.http)):
        secret = [("client_secret", client.secret)] if client.secret else []
        wanted = [*client.parameters().items(), *more]
        pushed = http.post("/oauth2/par/", urlencode(wanted + secret), content_type=FORM)
        assert pushed.status_code == 201, pushed.content
        assert "resource" not in PushedRequest.objects.latest("expires_at").parameters
        page = bring(client, pushed.json()["request_uri"])
        code = answer_of(client.sign_in(page) if page.status_code == 303 else page)["code"]
        exchange = {
            "grant_type": "authorization_code",
            "client_id": client.client.client_id,
            "code": code,
            "redirect_uri": "https://acme.example/callback",
            "code_verifier": "v" * 64,
        }
        given_ = http.post(
            "/oauth2/token/", urlencode([*exchange.items(), *more, *secret]), content_type=FORM
        )
        assert given_.status_code == 200, given_.content
        renew = {
            "grant_type": "refresh_token",
            "client_id": client.client.client_id,
            "refresh_token": given_.json()["refresh_token"],
        }
        again = http.post("/oauth2/token/", urlencode([*renew.items(), *more, *secret]), content_type=FORM)
        assert again.status_code == 200, again.content

        page = client.browser.client.get(f"/oauth2/authorize/?{urlencode(wanted)}")
        assert answer_of(page)["code"]
        posted = http.post("/oauth2/authorize/", urlencode(wanted), content_type=FORM)
        assert posted.status_code == 303


@pytest.mark.parametrize("path", list(ENDPOINTS))
def test_every_other_repeated_parameter_is_an_error(app: App, server_app: App, path: str) -> None:
    """O4, RFC 6749 3.2: also when both say the same, and for those that nobody knows."""
    fields = ENDPOINTS[path]
    for name in (*fields, "anything"):
        if name in parameters.REPEATABLE:
            continue
        twice = [*fields.items(), (name, fields.get(name, "1")), (name, "1")]
        assert refusal(post(path, twice)) == "invalid_request", name


@pytest.mark.parametrize("name", ["nonce", "prompt", "max_age", "code_challenge", "ui_locales", "anything"])
def test_at_the_authorization_endpoint_too(app: App, name: str) -> None:
    """O4, RFC 6749 3.1"""
    wanted = [*app.parameters(**{name: "x" * 43}).items(), (name, "x")]

    assert (
        answer_of(app.browser.client.get(f"/oauth2/authorize/?{urlencode(wanted)}"))["error"]
        == "invalid_request"
    )
    posted = app.http.post("/oauth2/authorize/", urlencode(wanted), content_type=FORM)
    assert answer_of(posted)["error"] == "invalid_request"


@pytest.mark.parametrize("path", [*ENDPOINTS, "/.well-known/openid-configuration"])
def test_more_parameters_than_django_reads_are_the_callers_fault(app: App, path: str) -> None:
    """In the address, too."""
    address = f"{path}?{'&' * 1100}"

    assert refusal(post(address, ENDPOINTS[path]) if path in ENDPOINTS else Http().get(address))
