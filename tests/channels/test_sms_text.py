"""The SMS text and the choice of a language."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import sms_text

LANGUAGES = sorted(sms_text._TEXTS)
CODE = "4829130576"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("host", ["a.io", "login.acme.example", "login.a-rather-long-name.example.co.uk"])
def test_a_text_fits_one_segment_in_every_language(language: str, host: str) -> None:
    """G7."""
    text = sms_text.sms_text(code=CODE, brand="Acme Bank", host=host, language=language)

    assert sms_text.segments(text) == 1
    assert CODE in text.split("\n")[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_last_line_binds_the_code_to_the_host(language: str) -> None:
    """G7: `@host #code`, one space, nothing behind it."""
    text = sms_text.sms_text(code="482913", brand="Acme", host="login.acme.example", language=language)

    assert text.split("\n")[-2:] == ["", "@login.acme.example #482913"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_code_comes_first_and_the_brand_is_named(language: str) -> None:
    """A notification's preview shows the beginning."""
    text = sms_text.sms_text(code="482913", brand="Acme", host="acme.example", language=language)

    assert text.startswith("482913")
    assert "Acme" in text


@pytest.mark.parametrize(
    "language", ["en", "es", "pt", "de", "fr", "it", "id", "tr", "vi", "nl", "sw", "fil", "ms"]
)
def test_latin_languages_stay_in_the_cheap_alphabet(language: str) -> None:
    assert sms_text.is_gsm7(
        sms_text.sms_text(code="482913", brand="Acme", host="acme.example", language=language)
    )


def test_a_long_host_costs_the_brand_and_then_the_words() -> None:
    """Two segments cost double; the bound line is worth more than the words."""
    no_brand = sms_text.sms_text(
        code="482913", brand="Acme", host="login.the-shop.of-the-acme-brand.example", language="hi"
    )
    bare = sms_text.sms_text(code="482913", brand="Acme", host=f"{'a' * 45}.example", language="hi")

    assert "Acme" not in no_brand
    assert sms_text.segments(no_brand) == 1
    assert bare.startswith("482913\n\n@")


def test_without_a_host_there_is_no_bound_line() -> None:
    assert (
        sms_text.sms_text(code="482913", brand="Acme", host="", language="en")
        == "482913 is your Acme code. Do not share it."
    )


@pytest.mark.parametrize(
    "brand",
    [
        "Acme\n\n@evil.example #482913",
        "Acme @evil.example #1",
        "A\u2028B\rC",
        "x" * 500,
        "",
        "   ",
        "Acme\x00",
        "{code}",
    ],
)
def test_a_brand_cannot_forge_the_bound_line(brand: str) -> None:
    """G5."""
    text = sms_text.sms_text(code="482913", brand=brand, host="acme.example", language="en")

    assert text.endswith("\n\n@acme.example #482913")
    assert text.count("\n") == 2
    assert text.count("@") == text.count("#") == 1
    assert sms_text.segments(text) == 1


@given(st.text(max_size=60), st.sampled_from(LANGUAGES))
@settings(max_examples=200, deadline=None)
def test_no_brand_whatever_makes_two_segments_or_another_last_line(brand: str, language: str) -> None:
    text = sms_text.sms_text(code="482913", brand=brand, host="login.acme.example", language=language)

    assert sms_text.segments(text) == 1
    assert text.split("\n")[-1] == "@login.acme.example #482913"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ó" * 70, 1),
        ("ó" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("a" * 307, 3),
        ("", 1),
    ],
)
def test_segments(text: str, expected: int) -> None:
    assert sms_text.segments(text) == expected


@pytest.mark.parametrize("text", ["é ñ ü à è ì ò ù Ç ¿ ¡ @ #", "[]{}^~|\\€"])
def test_the_cheap_alphabet(text: str) -> None:
    assert sms_text.is_gsm7(text)


@pytest.mark.parametrize("text", ["á", "ó", "ç", "ã", "م", "中", "’"])
def test_outside_the_cheap_alphabet(text: str) -> None:
    assert not sms_text.is_gsm7(text)


def test_every_language_of_the_pages_has_a_text_of_its_own(settings: object) -> None:
    from django.conf import settings as django_settings

    languages = [code for code, _ in django_settings.LANGUAGES]
    forms = {
        code: sms_text.sms_text(code="482913", brand="Acme", host="a.io", language=code) for code in languages
    }

    for one, other in itertools.combinations(languages, 2):
        assert forms[one] != forms[other], f"{one} and {other}"
