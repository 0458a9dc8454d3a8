"""Which catalogue a reader gets: never one that they do not read."""

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware as DjangoLocaleMiddleware
from django.test import RequestFactory
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from login import languages
from login.languages import LocaleMiddleware, first_supported
from otp.models import Challenge
from tests.login.conftest import Browser, text_of

SIMPLIFIED, TRADITIONAL = "使用手机登录", "使用手機登入"


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("zh-CN", SIMPLIFIED),
        ("zh-CN,zh;q=0.9,en;q=0.8", SIMPLIFIED),
        ("zh-Hans-SG", SIMPLIFIED),
        ("zh-Hans-CN", SIMPLIFIED),
        ("zh-Hans-HK", SIMPLIFIED),
        ("zh-SG", SIMPLIFIED),
        ("zh-MY", SIMPLIFIED),
        ("zh", SIMPLIFIED),
        ("zh-TW", TRADITIONAL),
        ("zh-HK", TRADITIONAL),
        ("zh-MO", TRADITIONAL),
        ("zh-Hant", TRADITIONAL),
        ("zh-Hant-TW", TRADITIONAL),
        ("zh-Hant-MO", TRADITIONAL),
        ("zh-HK-u-mu-celsius", TRADITIONAL),  # Android's regional preferences
        ("zh-TW-u-fw-mon", TRADITIONAL),
        ("zh-CN-u-hc-h23", SIMPLIFIED),
        ("yue-Hant-HK,en;q=0.5", TRADITIONAL),
        ("zh-yue", TRADITIONAL),
        ("wuu,en;q=0.5", SIMPLIFIED),
        ("arz-EG", 'dir="rtl"'),
        ("pt-PT", "Entre com seu telefone"),
        ("es-419", "teléfono"),
        ("en-US-u-fw-mon-mu-celsius", "Sign in with your phone"),
        ("sr-Latn", "Sign in with your phone"),
        ("x-klingon, \\, ;;q=2", "Sign in with your phone"),
    ],
)
def test_the_browsers_language(browser: Browser, header: str, words: str) -> None:
    page = browser.client.get("/login/", headers={"Accept-Language": header})

    assert words in text_of(page)


@pytest.mark.parametrize("parameter", ["lang", "ui_locales"])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("zh-CN", SIMPLIFIED),
        ("zh_CN_#Hans", SIMPLIFIED),
        ("zh-MY", SIMPLIFIED),
        ("zh-Hans-SG-u-ca-chinese", SIMPLIFIED),
        ("cmn-Hans-CN", SIMPLIFIED),
        ("yue-HK", TRADITIONAL),
        ("zh-MO", TRADITIONAL),
        ("zh_HK.UTF-8", TRADITIONAL),
        ("es_MX.UTF-8@euro", "teléfono"),
        ("x-klingon zh-TW", TRADITIONAL),
        ("\\ud800 \\0 i-default", "Sign in with your phone"),
        ("en" * 500, "Sign in with your phone"),
    ],
)
def test_the_language_in_the_address(browser: Browser, parameter: str, value: str, words: str) -> None:
    page = browser.client.get("/login/", {parameter: value})

    assert page.status_code == 200
    assert words in text_of(page)


@pytest.mark.parametrize(("header", "language"), [("zh-CN", "zh-hans"), ("zh-MO", "zh-hant")])
def test_the_message_is_in_the_language_of_the_page(browser: Browser, header: str, language: str) -> None:
    """SMS too."""
    browser.client.defaults["HTTP_ACCEPT_LANGUAGE"] = header
    browser.ask()

    assert Challenge.objects.get().language == language


# Chosen quickly ------------------------------------------------------------------------------------


def chosen_slowly(request: HttpRequest) -> str:
    """Django's own choice, and then ours where the cookie names no language of ours: the rule without a memory."""
    DjangoLocaleMiddleware(lambda _request: HttpResponse()).process_request(request)
    if request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) not in dict(settings.LANGUAGES):
        header = request.headers.get("Accept-Language", "").lower()
        return (
            first_supported(tag for tag, _ in parse_accept_lang_header(header))
            or translation.get_language()
            or ""
        )
    return translation.get_language() or ""


TAGS = [
    "en",
    "en-GB",
    "ar",
    "pt",
    "pt-PT",
    "zh",
    "zh-HK-u-mu-celsius",
    "yue-Hant-HK",
    "xx",
    "fr",
    "*",
    "es;q=0",
    "a" * 40,
]
headers = st.lists(st.sampled_from(TAGS) | st.text(max_size=8), max_size=12).map(",".join)
cookies = st.sampled_from(["", "ar", "zh-hans", "pt", "zh", "xx", "EN"]) | st.text(max_size=8)


@given(header=headers, cookie=cookies)
@examples(max_examples=300, deadline=None)
def test_the_quick_choice_is_the_same(header: str, cookie: str) -> None:
    request = RequestFactory().get("/", headers={"accept-language": header})
    if cookie:
        request.COOKIES[settings.LANGUAGE_COOKIE_NAME] = cookie
    with translation.override("en"):
        expected = chosen_slowly(request)
        del request.LANGUAGE_CODE

        LocaleMiddleware(lambda _request: HttpResponse()).process_request(request)

        assert (translation.get_language(), request.LANGUAGE_CODE) == (expected, expected)


def test_made_up_headers_are_not_remembered() -> None:
    languages._kept.cache_clear()
    middleware = LocaleMiddleware(lambda _request: HttpResponse())
    with translation.override("en"):
        for nth in range(20):
            header = "es" + ",de-DE;q=0.5" * (20 + nth)
            assert len(header) > languages._LONGEST_KEPT
            request = RequestFactory().get("/", headers={"accept-language": header})
            middleware.process_request(request)
            assert request.LANGUAGE_CODE == "es"

    assert languages._kept.cache_info().currsize == 0
    assert languages._kept.cache_info().maxsize
