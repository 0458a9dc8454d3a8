"""Logins on the hosted pages: start, pages, verify. Django must be set up before this is used."""

from bench import load
from bench.load import Browser

POLLS = 3  # of the code page, in the seconds until the code is typed


def code_in(browser: Browser) -> str:
    """The code of the challenge that this browser's cookie names, derived as the worker derives it."""
    from django.conf import settings

    from login import login_cookie
    from otp import codes
    from projects.config import projects

    (project_id,) = projects.get().by_id
    cookie = login_cookie.parse(browser.cookies["login"], project_id)
    assert cookie and cookie.latest  # noqa: PT018 # it has begun a login
    challenge_id, keys = cookie.latest.challenge_id, settings.AUTHSVC_OTP_KEYS
    return codes.derive(challenge_id=challenge_id, key_id=next(iter(keys)), length=6, keys=keys)


class Browsers:
    """Browsers that take the cookies of one person after the other."""

    def __init__(self, port: int) -> None:
        self._browsers = [Browser(port) for _ in range(load.CLIENTS)]
        for browser in self._browsers:
            browser.request("GET", "/login/")
        self._tokens = [browser.cookies["csrftoken"] for browser in self._browsers]
        self._cookies: dict[str, dict[str, str]] = {}

    def start(self, nth: int, phone: str) -> float:
        browser, token = self._browsers[nth], self._tokens[nth]
        browser.cookies = {"csrftoken": token}
        fields = {"csrfmiddlewaretoken": token, "country": "HK", "phone": phone, "form_token": phone}
        took = load.timed(lambda: browser.post("/login/", **fields).status, expected=302)
        self._cookies[phone] = dict(browser.cookies)
        return took

    def read(self, nth: int, phone: str) -> float:
        browser = self._browsers[nth]
        browser.cookies = dict(self._cookies[phone])
        paths = ("/login/", "/login/code/", *["/login/status/"] * POLLS)
        return sum(
            load.timed(lambda path=path: browser.request("GET", path)[0].status, expected=200)  # type: ignore[misc] # a default
            for path in paths
        )

    def verify(self, nth: int, phone: str) -> float:
        browser = self._browsers[nth]
        browser.cookies = self._cookies[phone]
        fields = {"csrfmiddlewaretoken": browser.cookies["csrftoken"], "code": code_in(browser)}
        return load.timed(lambda: browser.post("/login/code/", **fields).status, expected=302)
