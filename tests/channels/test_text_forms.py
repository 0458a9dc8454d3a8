"""The forms an SMS text gives up one by one, and languages in several scripts and regions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import languages, sms_text

LANGUAGES = sorted(sms_text._TEXTS)


def first_line(*, brand: str = "Acme", host: str = "login.acme.example", language: str = "en") -> str:
    text = sms_text.sms_text(code="482913", brand=brand, host=host, language=language)
    assert sms_text.segments(text) == 1
    return text.partition("\n")[0]


def test_the_advice_goes_before_the_brand() -> None:
    """G7: one letter outside GSM-7 halves the room."""
    assert first_line() == "482913 is your Acme code. Do not share it."
    assert first_line(brand="Łódź") == "482913 is your Łódź code"


def test_then_the_brand_and_then_the_words() -> None:
    """G7."""
    assert first_line(brand="Łódź", host=f"{'a' * 30}.example") == "482913 is your code"
    assert first_line(host=f"{'a' * 120}.example") == "482913 is your code"
    assert first_line(host=f"{'a' * 125}.example") == "482913"


@pytest.mark.parametrize(
    "language", ["de", "en", "es", "fil", "fr", "id", "it", "ms", "nl", "pl", "pt", "ro", "sw", "tr", "vi"]
)
def test_every_latin_language_stays_in_the_cheap_alphabet_and_has_advice(language: str) -> None:
    """G7."""
    line = first_line(language=language)

    assert sms_text.is_gsm7(line)
    assert line.endswith(".")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("brand", ["Acme", "", "Łódź", "中文品牌", "😀" * 30])
@pytest.mark.parametrize("length", [6, 10])
def test_every_form_fits_and_starts_with_the_code(language: str, brand: str, length: int) -> None:
    """G7."""
    code = "4829130576"[:length]

    text = sms_text.sms_text(code=code, brand=brand, host="login.acme.example", language=language)

    assert sms_text.segments(text) == 1
    assert text.startswith(code)
    assert text.endswith(f"\n\n@login.acme.example #{code}")


def test_a_line_break_in_a_brand_parts_two_words() -> None:
    assert "Acme Bank code" in first_line(brand="Acme\r\nBank")


def test_a_text_with_half_a_character_is_still_counted() -> None:
    assert sms_text.segments("\ud83d") == 1


@pytest.mark.parametrize(
    ("requested", "available", "expected"),
    [
        ("es-AR", ["es_ES", "es_MX"], "es_MX"),
        ("es-ES", ["es_MX", "es_ES"], "es_ES"),
        ("es", ["es_MX", "es_ES"], "es_ES"),
        ("es-419", ["es_ES", "es_MX"], "es_MX"),
        ("pt-AO", ["pt_BR", "pt_PT"], "pt_PT"),
        ("pt", ["pt_PT", "pt_BR"], "pt_BR"),
        ("en-AU", ["en_US", "en_GB"], "en_GB"),
        ("zh-MO", ["zh_TW", "zh_HK"], "zh_HK"),
        ("zh-Hant", ["zh_HK", "zh_TW"], "zh_TW"),
        ("zh_hant_hk", ["zh_TW", "zh_HK"], "zh_HK"),
        ("zh-CN", ["en", "zh_TW"], "zh_TW"),
        ("sr-Latn-RS", ["en", "sr"], "sr"),
        ("uz", ["en", "uz-Cyrl"], "uz-Cyrl"),
        ("xx", ["de", "en_IN", "en_GB", "en_US"], "en_US"),
        ("xx", ["de", "en_IN", "en_GB"], "en_GB"),
        ("xx", ["de", "en_IN"], "en_IN"),
    ],
)
def test_the_nearest_of_several_regions_and_scripts(
    requested: str, available: list[str], expected: str
) -> None:
    assert languages.best_language(requested, available) == expected
    assert languages.language_order(requested, available)[0] == expected


@given(
    st.text(alphabet="abenszht-_019 ", max_size=40),
    st.lists(st.sampled_from(["en", "en_US", "es_MX", "es", "pt_BR", "zh_HK", "zh_CN", "sr"]), max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_an_order_holds_all_once_as_spelled(requested: str, available: list[str]) -> None:
    order = languages.language_order(requested, available)

    assert sorted(order) == sorted(set(available))
