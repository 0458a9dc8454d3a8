"""The order of languages as a whole: nothing is lost, nothing depends on the order it was listed in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import languages
from channels.languages import Tag

NAMES = [
    "en", "en_US", "en_GB", "en_AU", "es", "es_MX", "es_ES", "es_AR", "pt_BR", "pt_PT", "zh_CN", "zh_TW", "zh_HK",
    "sr", "sr-Latn", "nb", "de", "fr", "fil", "hi", "uz", "??", "",
]  # fmt: skip
HINTS = st.sampled_from(NAMES) | st.text(max_size=12)
AVAILABLE = st.lists(st.sampled_from(NAMES), max_size=8)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("zh", Tag(language="zh", script="Hans", region="")),
        ("zh-MY", Tag(language="zh", script="Hans", region="MY")),
        ("ZH_hant_us", Tag(language="zh", script="Hant", region="US")),
        ("yue", Tag(language="zh", script="Hant", region="")),
        ("zh-yue-Hans", Tag(language="zh", script="Hans", region="")),
        ("es-419", Tag(language="es", script="Latn", region="419")),
        ("sr-Latn-x-Cyrl", Tag(language="sr", script="Latn", region="")),
        ("sr_RS@latin", Tag(language="sr", script="Latn", region="RS")),
        ("az-IR", Tag(language="az", script="Arab", region="IR")),
        ("arz-EG", Tag(language="ar", script="Arab", region="EG")),
        ("iw-IL", Tag(language="he", script="Hebr", region="IL")),
        ("en_US.UTF-8", Tag(language="en", script="Latn", region="US")),
        ("fr;q=1,en", Tag(language="fr", script="Latn", region="")),
        ("en-US-GB", Tag(language="en", script="Latn", region="GB")),
        ("qqq", Tag(language="qqq", script="", region="")),
        ("e", None),
        ("engl", None),
        ("12", None),
        ("-en", None),
        ("@latin", None),
        (",en", None),
    ],
)
def test_what_a_tag_is_made_of(text: str, tag: Tag | None) -> None:
    assert languages.read(text) == tag


@pytest.mark.parametrize(
    ("text", "tag"),
    [("sr-Latn-RS", "sr-Latn-RS"), ("sr-Cyrl-RS", "sr-RS"), ("EN_latn_us", "en-US"), ("zh-CN", "zh-Hans-CN"), ("x", "")],
)  # fmt: skip
def test_a_script_is_spelled_out_where_it_is_not_the_usual_one(text: str, tag: str) -> None:
    """Chinese always has it: streets and tables differ."""
    assert languages.canonical(text) == tag


@pytest.mark.parametrize(
    ("language", "script", "region"),
    [("zh", "Hant", "TW"), ("zh", "Hans", "CN"), ("en", "Latn", "US"), ("es", "", "ES"), ("qqq", "", "")],
)
def test_where_most_readers_live(language: str, script: str, region: str) -> None:
    assert languages.likely_region(language, script) == region


def test_a_tag_is_read_from_its_first_hundred_letters_only() -> None:
    assert languages.read("sr-" + "abcdefghi-" * 9 + "Latn") == languages.read("sr-Latn")
    assert languages.read("sr-" + "abcdefghi-" * 10 + "Latn") == languages.read("sr")


@given(HINTS, AVAILABLE)
@settings(max_examples=300, deadline=None)
def test_no_language_is_lost_or_added_or_named_twice(hint: str, available: list[str]) -> None:
    """N6."""
    order = languages.language_order(hint, available)

    assert sorted(order) == sorted(set(available))


@given(HINTS, AVAILABLE)
@settings(max_examples=300, deadline=None)
def test_an_order_that_is_ordered_again_stays(hint: str, available: list[str]) -> None:
    """N6."""
    order = languages.language_order(hint, available)

    assert languages.language_order(hint, order) == order


@given(st.sampled_from([name for name in NAMES if languages.read(name)]), AVAILABLE)
@settings(max_examples=300, deadline=None)
def test_exactly_what_was_asked_for_is_first(hint: str, available: list[str]) -> None:
    """N6: wherever it is listed, and however it is spelled."""
    assert languages.best_language(hint, [*available, hint]) == hint
    assert languages.best_language(hint.upper().replace("_", "-"), [*available, hint]) == hint


@given(st.permutations(["es", "es_MX", "es_ES", "en", "en_US", "en_GB", "en_AU"]))
@settings(max_examples=100, deadline=None)
def test_english_is_ranked_however_it_is_listed(available: list[str]) -> None:
    assert languages.language_order("es-AR", available) == [
        "es", "es_MX", "es_ES", "en", "en_US", "en_GB", "en_AU",
    ]  # fmt: skip


@given(st.text(max_size=12).filter(lambda text: languages.read(text) is None), AVAILABLE)
@settings(max_examples=150, deadline=None)
def test_every_hint_that_says_nothing_gets_the_same(hint: str, available: list[str]) -> None:
    assert languages.language_order(hint, available) == languages.language_order("", available)


def test_names_that_cannot_be_read_come_last_in_their_order() -> None:
    assert languages.language_order("es", ["??", "en", "", "es"]) == ["es", "en", "??", ""]
