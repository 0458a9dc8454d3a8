"""Language tags of every spelling, and who gets which language."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import languages, sms_text


@pytest.mark.parametrize(
    ("requested", "available", "expected"),
    [
        ("es-MX", ["en", "es", "es_MX"], "es_MX"),
        ("es-AR", ["en", "es_MX", "es"], "es"),
        ("es-AR", ["en", "es_MX"], "es_MX"),
        ("pt", ["en", "pt_BR"], "pt_BR"),
        ("pt-br", ["pt_PT", "pt_BR"], "pt_BR"),
        ("zh-HK", ["zh_CN", "zh_HK"], "zh_HK"),
        ("zh-TW", ["zh_CN", "zh_HK"], "zh_HK"),
        ("zh-Hant", ["zh_CN", "zh_TW"], "zh_TW"),
        ("zh", ["zh_HK", "zh_CN"], "zh_CN"),
        ("zh-Hans-SG", ["zh_HK", "zh_CN"], "zh_CN"),
        ("zh-TW", ["en", "zh_CN"], "zh_CN"),
        ("no", ["en", "nb"], "nb"),
        ("tl", ["en", "fil"], "fil"),
        ("EN_us", ["de", "en_US"], "en_US"),
        ("xx", ["de", "en_GB"], "en_GB"),
        ("xx", ["de", "en_GB", "en"], "en"),
        ("xx", ["de", "fr"], "de"),
        ("", ["de", "en"], "en"),
        ("x" * 10_000, ["de", "en"], "en"),
        ("zh-CN", ["zh_HK", "zh_TW", "zh_CN"], "zh_CN"),
        ("zh-SG", ["zh_HK", "zh_CN"], "zh_CN"),
        ("zh-MY", ["zh_HK", "zh_CN"], "zh_CN"),
        ("zh-Hans-HK", ["zh_HK", "zh_CN"], "zh_CN"),
        ("zh-Hant-CN", ["zh_CN", "zh_HK"], "zh_HK"),
        ("zh-MO", ["zh_CN", "zh_TW", "zh_HK"], "zh_HK"),
        ("yue-HK", ["en", "zh_CN", "zh_HK"], "zh_HK"),
        ("zh_CN_#Hans", ["zh_HK", "zh_CN"], "zh_CN"),
        ("nn-NO", ["en", "nb"], "nb"),
        ("sr-Latn", ["en", "sr"], "sr"),
        ("sr-ME", ["sr-Cyrl", "sr-Latn"], "sr-Latn"),
        ("pa-PK", ["pa", "en"], "en"),
        ("hi-Latn", ["hi", "en"], "en"),
        ("ms-Arab", ["ms", "en"], "en"),
        ("az-IR", ["az", "en"], "en"),
        ("uz_UZ@cyrillic", ["uz", "en", "uz-Cyrl"], "uz-Cyrl"),
        ("pt-PT", ["en", "pt_BR"], "pt_BR"),
        ("en-US-u-fw-mon-mu-celsius", ["en_GB", "en_US"], "en_US"),
        ("de-u-rg-atzzzz", ["en", "de"], "de"),
    ],
)
def test_a_language_falls_back_to_what_its_readers_read(
    requested: str, available: list[str], expected: str
) -> None:
    """N6, L13."""
    assert languages.best_language(requested, available) == expected


def test_the_whole_order_holds_every_language_once() -> None:
    available = ["en", "es_MX", "de", "es", "en_US", "es"]

    assert languages.language_order("es-AR", available) == ["es", "es_MX", "en", "en_US", "de"]


def test_no_language_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="no language"):
        languages.best_language("en", [])


@pytest.mark.parametrize(
    ("hint", "cleaned"),
    [
        ("en-US-u-fw-mon-mu-celsius", "en-US"),
        ("en-u-ca-gregory", "en"),
        ("en-x-lvariant", "en"),
        ("zh-Hans-SG-u-nu-latn", "zh-Hans-SG"),
        ("zh-TW-u-co-stroke", "zh-Hant-TW"),
        ("pt_BR", "pt_BR"),
        ("es-419", "es-419"),
        ("eng", "eng"),
        ("de_DE.UTF-8@euro", "de-DE"),
        ("uz_UZ.UTF-8@cyrillic", "uz-Cyrl-UZ"),
        ("zh_CN_#Hans", "zh-Hans-CN"),
        ("zh-CHT", "zh-Hant"),
        ("zh-yue-HK", "zh-Hant-HK"),
        ("ca-ES-valencia", "ca-ES"),
        ("de-1996", "de"),
        ("fr, en;q=0.5", "fr"),
        (" en ", "en"),
        ("en\n", "en"),
        ("x-klingon", ""),
        ("i-default", ""),
        ("C.UTF-8", ""),
        ("POSIX", ""),
        ("*", ""),
        ("e", ""),
        ("日本", ""),
        ("\0", ""),
        ("", ""),
    ],
)
def test_what_a_hint_says(hint: str, cleaned: str) -> None:
    """N6."""
    assert languages.clean(hint) == cleaned


@given(st.text(max_size=300) | st.text(alphabet="aehnstzHCN0123-_.@#;,u x", max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_hint_is_short_and_says_the_same_again(hint: str) -> None:
    """N6: it fits its column."""
    cleaned = languages.clean(hint)

    assert len(cleaned) <= 16
    assert languages.clean(cleaned) == cleaned
    assert languages.read(cleaned) == languages.read(hint)


@pytest.mark.parametrize("hint", ["zh-CN", "zh-Hans-SG", "zh-SG", "zh-MY", "zh", "zh-hans", "cmn-Hans-CN"])
def test_simplified_chinese_readers_get_it_by_sms(hint: str) -> None:
    """L13."""
    assert "验证码" in sms_text.sms_text(code="482913", brand="Acme", host="a.io", language=hint)


@pytest.mark.parametrize("hint", ["zh-TW", "zh-HK", "zh-MO", "zh-Hant-US", "zh-hant", "yue", "yue-HK"])
def test_traditional_chinese_readers_get_it_by_sms(hint: str) -> None:
    """L13."""
    assert "驗證碼" in sms_text.sms_text(code="482913", brand="Acme", host="a.io", language=hint)
