"""Pages that are rendered once and filled in: what the cache gives is what rendering would give, and nobody else's."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.template import engines
from django.template.loader import get_template
from django.test import Client
from django.utils import translation
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from channels.types import Channel, FailureReason, Status
from core.config_models import ConfigVersion
from login import sheets
from login.messages.delivery import Row
from login.messages.delivery_texts import Stage, Tone
from login.pages import Named
from projects.config import ProjectConfig
from projects.models import LoginMethods, Project
from tests import factories
from tests.login.conftest import Browser, set_status

NASTY = ["", "a", "0", "<b>&\"'", "{{ name }}", "{% now %}", "%(count)s %", "\u200e+852", "é漢\u2028", mark_safe("<i>&amp;</i>")]  # fmt: skip
words = st.sampled_from(NASTY) | st.text(max_size=12)
numbers = st.integers(0, 5000)
languages = st.sampled_from(["en", "ar", "es", "pt-br", "zh-hans", "zh-hant"])

PHONE_VALUES = (
    "csrf_token", "phone", "form_token", "changed", "back", "next", "kept_query", "client", "country_options",
    "only_country", "refusal", "notice", "own_number", "continue_url",
)  # fmt: skip
CODE_VALUES = (
    "csrf_token", "number", "refusal", "next", "login", "reference", "kept_query", "page_url", "etag", "headline",
    "detail", "countdown", "countdown_text", "send_buttons",
)  # fmt: skip


def rows(channels: list[Channel], stage: Stage) -> tuple[Row, ...]:
    return tuple(
        Row(channel=channel, name=channel.upper(), stage=stage, label="<ok>") for channel in channels
    )


PAGES = {
    "login/phone.html": (
        PHONE_VALUES,
        ("wait_seconds",),
        st.fixed_dictionaries({"mode": st.sampled_from(["whatsapp_only", "sms_only", "whatsapp_or_sms"])}),
    ),
    "login/code.html": (
        CODE_VALUES,
        ("wait_seconds", "countdown_seconds"),
        st.fixed_dictionaries(
            {
                "code_length": st.sampled_from([1, 6, 8]),
                "wrong": st.booleans(),
                "is_latest": st.booleans(),
                "tone": st.sampled_from(list(Tone)),
                "channel": st.sampled_from(["", *Channel]),
                "has_two_channels": st.booleans(),
                "rows": st.builds(
                    rows, st.lists(st.sampled_from(list(Channel)), unique=True), st.sampled_from(list(Stage))
                ),
            }
        ),
    ),
    "login/send_button.html": (
        ("text",),
        ("seconds",),
        st.fixed_dictionaries({"choice": st.sampled_from(["", *Channel]), "label": words, "waiting": words}),
    ),
}


@pytest.fixture(autouse=True)
def _no_sheets() -> Iterator[None]:
    sheets._sheet.cache_clear()
    yield
    sheets._sheet.cache_clear()


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Templates of a test's own, by their text."""
    monkeypatch.setattr(sheets, "get_template", engines["django"].from_string)
    return sheets.fill


# What is filled in --------------------------------------------------------------------------------


@pytest.mark.parametrize("template", PAGES)
@given(data=st.data(), language=languages)
@examples(max_examples=120, deadline=None)
def test_a_filled_sheet_is_what_the_template_gives(template: str, data: st.DataObject, language: str) -> None:
    """With a sheet for every combination, so that a value that a template decides by would be noticed."""
    texts, amounts, decided = PAGES[template]
    fixed = data.draw(decided) | {
        "project": Named(name=data.draw(words)),
        "simulated_phone": data.draw(st.booleans()),
    }

    with translation.override(language):
        for _ in range(2):  # the second time it is filled into a sheet that was kept
            values = {name: data.draw(words) for name in texts} | {
                name: data.draw(numbers) for name in amounts
            }
            rendered = get_template(template).render({**fixed, **values})
            assert sheets.fill(template, fixed=fixed, values=values) == rendered


def test_values_are_escaped_each_time(scratch: Any) -> None:
    for text in ("<script>", "a&b", "\"'"):
        assert scratch("[{{ it }}]", fixed={}, values={"it": text}) == f"[{escape(text)}]"
    assert scratch("[{{ it }}]", fixed={}, values={"it": mark_safe("<hr>")}) == "[<hr>]"
    assert isinstance(scratch("", fixed={}, values={}), SafeString)
    assert sheets._sheet.cache_info().hits == 3


def test_what_is_fixed_is_escaped(scratch: Any) -> None:
    assert scratch("{{ it }}", fixed={"it": "<b>"}, values={}) == "&lt;b&gt;"


def test_a_value_cannot_name_another_one(scratch: Any) -> None:
    """Values come in last: nothing that somebody typed is looked at for holes."""
    values = {"typed": f"{sheets._MARK}token{sheets._MARK}", "token": "secret"}

    page = scratch("{{ typed }}|{{ token }}", fixed={}, values=values)

    assert page.count("secret") == 1


@pytest.mark.parametrize(
    "use", ["{{ it|urlencode }}", "{{ it|lower|slice:':-1' }}", "{{ it|upper|urlencode:'' }}"]
)
def test_a_template_that_changes_a_value_is_refused(scratch: Any, use: str) -> None:
    """It would be changed once, for the first person, and shown to the next as it is."""
    with pytest.raises(sheets.ValueChanged):
        scratch(f"[{use}]", fixed={}, values={"it": "a b"})


def test_an_empty_value_is_seen_as_empty(scratch: Any) -> None:
    template = "{% if it %}{{ it }}{% else %}none{% endif %}"

    shown = [scratch(template, fixed={}, values={"it": it}) for it in ("", "x", 0, 7, "")]

    assert shown == ["none", "x", "none", "7", "none"]


# What is kept -------------------------------------------------------------------------------------


def test_a_kept_sheet_holds_no_value(scratch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch(
        "{{ a }}{% if b %}<b>{{ b }}</b>{% endif %}", fixed={}, values={"a": "+85251234567", "b": "token"}
    )

    pieces = sheets._sheet("{{ a }}{% if b %}<b>{{ b }}</b>{% endif %}", "en", (), ("a", "b"), ())

    assert sheets._sheet.cache_info().hits == 1, "this is the one that was kept"
    assert pieces == ("", "a", "<b>", "b", "</b>")


def test_each_language_has_its_own() -> None:
    seen: dict[str, str] = {}
    fixed = {"mode": "sms_only", "project": Named(name="Acme"), "simulated_phone": False}
    values = dict.fromkeys((*PHONE_VALUES, "wait_seconds"), "")
    for language in ("en", "ar", "zh-hans", "en"):
        with translation.override(language):
            seen.setdefault(language, sheets.fill("login/phone.html", fixed=fixed, values=values))

    assert 'dir="rtl"' in seen["ar"]
    assert 'lang="zh-hans"' in seen["zh-hans"]
    assert "Sign in with your phone" in seen["en"]
    assert len(set(seen.values())) == 3
    assert sheets._sheet.cache_info().currsize == 3


def test_the_pages_are_rendered_once(browser: Browser) -> None:
    for _ in range(3):
        browser.client.get("/login/")
    browser.ask()
    made = sheets._sheet.cache_info().misses
    for _ in range(3):
        browser.page()

    after = sheets._sheet.cache_info()
    assert made == 1
    assert after.misses == made + 3, "the code page and its two buttons"


# Through the pages: nobody sees anything of anybody else -------------------------------------------


def secrets_of(page: str) -> set[str]:
    """Everything in a page that is of one browser: tokens, seals, numbers."""
    return set(re.findall(r'(?:value|data-etag)="([^"]{12,})"', page)) | set(
        re.findall(r"login=([\w-]{20,})", page)
    )


def test_two_browsers_never_share_anything(project: ProjectConfig) -> None:
    one, two = Browser(), Browser()
    first, second = one.client.get("/login/").text, two.client.get("/login/").text
    assert len(secrets_of(first)) >= 2
    assert not secrets_of(first) & secrets_of(second)

    one.ask("+85251234567")
    two.ask("+85291234568")
    first, second = one.page(), two.page()

    assert len(secrets_of(first)) >= 3
    assert not secrets_of(first) & secrets_of(second)
    assert "5123 4567" in first
    assert "5123 4567" not in second
    assert "9123 4568" in second


def test_each_answer_has_a_token_of_its_own(browser: Browser) -> None:
    """BREACH: the same secret is masked anew in each answer."""
    pages = [browser.client.get("/login/").text for _ in range(3)]
    tokens = [re.findall(r'csrfmiddlewaretoken" value="([^"]+)"', page) for page in pages]

    assert [len(found) for found in tokens] == [1, 1, 1]
    assert len({found[0] for found in tokens}) == 3


def test_forms_of_a_kept_page_are_accepted(project: ProjectConfig) -> None:
    """A token out of somebody else's sheet would be refused."""
    Browser().client.get("/login/")
    strict = Client(enforce_csrf_checks=True)
    page = strict.get("/login/").text
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token

    fields = {"csrfmiddlewaretoken": token[1], "phone": factories.PHONE}
    assert strict.post("/login/", fields).status_code == 302
    page = strict.get("/login/code/").text
    tokens = set(re.findall(r'csrfmiddlewaretoken" value="([^"]+)"', page))
    assert len(tokens) == 1
    answer = strict.post("/login/code/", {"csrfmiddlewaretoken": tokens.pop(), "code": "1"})
    assert answer.status_code == 400
    assert strict.post("/login/code/", {"code": "1"}).status_code == 403


def test_a_refusal_is_not_kept_for_the_next_person(project: ProjectConfig) -> None:
    one, two = Browser(), Browser()
    refused = one.ask("12")
    assert refused.status_code == 400
    assert 'role="alert"' in refused.text
    assert 'value="12"' in refused.text

    page = two.client.get("/login/").text
    assert 'role="alert"' not in page
    assert 'value="12"' not in page


def test_a_changed_name_is_shown_at_once(browser: Browser, project: ProjectConfig) -> None:
    assert "Acme" in browser.client.get("/login/").text

    Project.objects.filter(id=project.id).update(name="Umbrella <& Co>")
    ConfigVersion.bump()

    page = browser.client.get("/login/").text
    assert "Acme" not in page
    assert "Umbrella &lt;&amp; Co&gt;" in page


def test_changed_methods_are_shown_at_once(browser: Browser, project: ProjectConfig) -> None:
    assert 'name="channel"' in browser.client.get("/login/").text

    LoginMethods.objects.filter(project_id=project.id).update(
        verify_phone_by="sms_only", countries_allowed=["HK"]
    )
    ConfigVersion.bump()

    page = browser.client.get("/login/").text
    assert 'name="channel"' not in page
    assert '<input type="hidden" name="country" value="HK">' in page


def test_two_projects_never_mix(project: ProjectConfig, settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "umbrella.example"]
    other = factories.make_project(slug="umbrella", name="Umbrella", is_default=False, senders=False)
    Project.objects.get(id=other.id).domains.create(host="umbrella.example")
    ConfigVersion.bump()

    pages = [
        Client(headers={"host": host}).get("/login/").text
        for host in ("testserver", "umbrella.example", "testserver")
    ]

    assert [("Acme" in page, "Umbrella" in page) for page in pages] == [
        (True, False),
        (False, True),
        (True, False),
    ]


def test_each_status_has_its_own_page(browser: Browser) -> None:
    browser.ask()
    pages = []
    for status, reason in (
        (Status.QUEUED, None),
        (Status.DELIVERED, None),
        (Status.FAILED, FailureReason.NOT_ON_CHANNEL),
        (Status.QUEUED, None),
    ):
        set_status(browser.challenge_id, status, reason=reason)
        page = browser.page()
        shown = re.search(r'class="live (\w+) .*data-stage="(\w*)"', page)
        assert shown
        pages.append(shown.groups())

    assert pages == [
        ("working", "sending"),
        ("good", "delivered"),
        ("working", "failed"),
        ("working", "sending"),
    ]


@pytest.mark.parametrize("path", ["/login/", "/login/code/"])
def test_the_policy_has_no_nonce_that_could_be_kept(browser: Browser, path: str) -> None:
    """A nonce in a kept sheet would be everybody's. These pages have no script of their own in them."""
    browser.ask()
    answer = browser.client.get(path)

    assert "nonce" not in answer.text
    assert "<script>" not in answer.text
    assert "nonce-" not in answer.headers["Content-Security-Policy"]
