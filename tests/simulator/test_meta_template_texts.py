"""The texts of templates in many languages."""

import pytest

from simulator.meta.template_texts import LANGUAGES, TEXTS, texts_in

# Words


def test_every_wording_is_of_a_listed_language_and_holds_the_code_once() -> None:
    assert set(TEXTS) <= LANGUAGES
    for words in TEXTS.values():
        assert words.body.count("*{{1}}*") == 1
        assert "{minutes}" in words.footer
        assert len(words.button) <= 25


@pytest.mark.parametrize(
    ("language", "like"),
    [("es_AR", "es"), ("pt_PT", "pt_BR"), ("zh_TW", "zh_HK"), ("en_GB", "en"), ("sw", "en")],
)
def test_a_language_without_words_borrows_the_nearest(language: str, like: str) -> None:
    assert texts_in(language) is TEXTS[like]
