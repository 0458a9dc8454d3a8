"""Every example, and with it a client library that nobody here wrote: log in, refresh, log out."""

import base64
import hashlib
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from scripts.services import free_port
from tests.examples.running_examples import NAMES, RunningExamples, tool
from tests.processes import started, until

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("examples")]

_FAMILIES = """
SELECT family.id, family.revoked_at IS NOT NULL, family.used_at IS NOT NULL,
       (SELECT count(*) FROM oidc_refreshtoken token WHERE token.family_id = family.id AND token.used_at IS NOT NULL)
FROM oidc_tokenfamily family JOIN oidc_client client ON client.id = family.client_id
     JOIN users_user person ON person.id = family.user_id
WHERE client.client_id = ? AND person.phone = ? ORDER BY family.created_at
"""


def families(examples: RunningExamples, name: str, phone: str) -> list[tuple[bool, int]]:
    """Of each login of this person in this example: whether its tokens ended, how often they were refreshed."""
    rows = examples.rows(_FAMILIES, f"example-{name}", phone)
    return [(bool(revoked), int(str(refreshed))) for _id, revoked, used, refreshed in rows if used]


@pytest.mark.parametrize("name", NAMES)
def test_log_in_refresh_log_out(name: str, examples: RunningExamples, page: Page) -> None:
    phone = examples.log_in(page, name)
    expect(page).to_have_url(f"{examples.origin(name)}/")
    claims = page.locator("pre")
    for claim in (f'"phone_number": "{phone}"', '"phone_number_verified": true', '"otp"', '"sid"'):
        expect(claims).to_contain_text(claim)
    assert families(examples, name, phone) == [(False, 0)]

    page.get_by_role("button", name="Refresh").click()
    # mozilla-django-oidc asks for a new code without a page; the others use their refresh token.
    refreshed = [(False, 0), (False, 0)] if name == "django" else [(False, 1)]
    until(lambda: families(examples, name, phone) == refreshed, "new tokens", 10)
    expect(page.get_by_role("heading", name=f"Hello, {phone}")).to_be_visible()

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("Log in")).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape(examples.origin(name)) + r"/(\?.*)?$"))
    assert all(ended for ended, _count in families(examples, name, phone))
    page.goto(f"{examples.ports.base}/account/")
    expect(page).to_have_url(re.compile("/login/"))


@pytest.mark.parametrize("name", ["express", "spa"])
def test_whoever_logs_out_elsewhere_cannot_refresh(name: str, examples: RunningExamples, page: Page) -> None:
    examples.log_in(page, name)
    log_out_at_the_source(examples, page)

    page.get_by_role("button", name="Refresh").click()

    expect(page.get_by_text(re.compile("Log in|Back"))).to_be_visible()
    page.goto(examples.url(name))
    if name != "spa":  # it keeps its claims until they end
        expect(page.get_by_text("Log in")).to_be_visible()


def test_django_notices_a_log_out_elsewhere_when_it_asks_anew(examples: RunningExamples, page: Page) -> None:
    examples.log_in(page, "django")
    kept = [cookie for cookie in page.context.cookies() if cookie["name"] == "example_django"]
    page.context.clear_cookies()
    page.context.add_cookies(kept)  # type: ignore[arg-type] # what the library gave

    page.goto(examples.url("django"))
    expect(page.get_by_role("heading", name=re.compile("Hello"))).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Refresh").click()

    expect(page.get_by_text("Log in")).to_be_visible()


def log_out_at_the_source(examples: RunningExamples, page: Page) -> None:
    """On authsvc's account page, in another tab of the same browser."""
    elsewhere = page.context.new_page()
    elsewhere.goto(f"{examples.ports.base}/account/")
    elsewhere.wait_for_timeout(900)  # a stray tap right after the login is ignored on purpose
    elsewhere.get_by_role("button", name="Sign out", exact=True).click()
    elsewhere.wait_for_url("**/login/**")
    elsewhere.close()


def test_a_log_out_elsewhere_comes_by_the_back_channel(examples: RunningExamples, page: Page) -> None:
    """J9, at an application nobody asked to look. What only looks like authsvc's word ends nothing."""
    examples.log_in(page, "fastapi")
    receiver = f"{examples.origin('fastapi')}/backchannel-logout"
    for forged in ("", "made-up", "a.b.c", _id_token(examples, page)):
        assert httpx.post(receiver, data={"logout_token": forged}).status_code == 400, forged
    assert httpx.post(receiver).status_code == 400
    page.reload()
    expect(page.get_by_role("heading", name=re.compile("Hello"))).to_be_visible()

    log_out_at_the_source(examples, page)

    until(lambda: page.reload() and page.get_by_text("Log in").is_visible(), "the end of the session", 10)


def _id_token(examples: RunningExamples, page: Page) -> str:
    """Another ID token of this browser's session for the FastAPI example: rightly signed, and no log-out token."""
    base, callback, verifier = examples.ports.base, "http://localhost/auth", "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    client = {"client_id": "example-fastapi", "redirect_uri": callback}
    pkce = {"code_challenge": challenge, "code_challenge_method": "S256"}
    asked = urlencode(client | pkce | {"response_type": "code", "scope": "openid"})
    answer = page.request.get(f"{base}/oauth2/authorize/?{asked}", max_redirects=0)
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    proof = {"client_secret": "example-fastapi-secret-not-for-production", "code_verifier": verifier}
    fields = client | proof | {"grant_type": "authorization_code", "code": code}
    found: str = httpx.post(f"{base}/oauth2/token/", data=fields).raise_for_status().json()["id_token"]
    return found


def test_another_companys_application_asks_for_consent(examples: RunningExamples, page: Page) -> None:
    """The same code as the Express example, registered as a third party."""
    examples.url("express")
    port = free_port()
    partner = {
        "ISSUER": examples.ports.base,
        "PORT": str(port),
        "CLIENT_ID": "example-partner",
        "CLIENT_SECRET": "example-partner-secret-not-for-production",
    }
    with started([tool("node"), "app.js"], folder=examples.copy("express"), environment=partner) as process:
        url = f"http://localhost:{port}/"
        process.wait_for(url)
        page.goto(url)
        page.get_by_text("Log in").click()
        phone = examples.sign_in(page)
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("access_denied")).to_be_visible()

        page.get_by_text("Back").click()
        page.get_by_text("Log in").click()
        page.get_by_role("button", name="Allow").click()
        expect(page.get_by_role("heading", name=f"Hello, {phone}")).to_be_visible()


@pytest.mark.parametrize(
    "path", ["callback?code=made-up&state=made-up", "callback?error=access_denied&state=x"]
)
def test_an_answer_that_nobody_asked_for_logs_nobody_in(
    path: str, examples: RunningExamples, page: Page
) -> None:
    for name in ("express", "fastapi"):
        wanted = path.replace("callback", "auth") if name == "fastapi" else path
        examples.url(name)
        answer = page.goto(f"{examples.origin(name)}/{wanted}")
        assert answer
        assert answer.status == 400
        page.get_by_text("Back").click()
        expect(page.get_by_text("Log in")).to_be_visible()


def test_the_single_page_takes_a_refusal_out_of_its_address(examples: RunningExamples, page: Page) -> None:
    page.goto(f"{examples.url('spa')}?error=access_denied&state=made-up")

    expect(page.get_by_role("alert")).to_contain_text("No matching state")
    expect(page).to_have_url(examples.url("spa"))
