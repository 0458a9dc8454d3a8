"""The page that asks for consent, answered."""

from tests.login.conftest import Page
from tests.oidc.app import App


def hidden(page: Page) -> dict[str, str]:
    """The fields of the consent page's form."""
    import html
    import re

    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.content.decode())
    return {name: html.unescape(value) for name, value in found}


def answer_consent(app: App, page: Page, allow: str) -> Page:
    return app.browser.client.post("/oauth2/consent/", {**hidden(page), "allow": allow})
