"""Which catalogue a reader gets: never one that they do not read."""

import pytest

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
