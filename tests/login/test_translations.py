"""The catalogues of the pages: whole, with their placeholders, and compiled from what stands beside them."""

import gettext
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import to_locale

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def folder(language: str) -> Path:
    return ROOT / "locale" / to_locale(language) / "LC_MESSAGES"


def messages(language: str) -> dict[str, tuple[str, ...]]:
    """msgid → its translations, one for each plural form."""
    with (folder(language) / "django.po").open("rb") as file:
        catalogue = read_po(file)
    found: dict[str, tuple[str, ...]] = {}
    for message in catalogue:
        if message.id:
            key = message.id if isinstance(message.id, str) else message.id[0]
            texts = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
            found[str(key)] = tuple(str(text) for text in texts)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    empty = [msgid for msgid, texts in messages(language).items() if not all(texts)]

    assert empty == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_texts(language: str) -> None:
    assert set(messages(language)) == set(messages(LANGUAGES[0]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_are_kept(language: str) -> None:
    """A plural form may leave out the number (one second), never invent a placeholder."""
    for msgid, texts in messages(language).items():
        wanted = set(_PLACEHOLDER.findall(msgid))
        for text in texts:
            found = set(_PLACEHOLDER.findall(text))
            assert found <= wanted, f"{msgid!r} → {text!r}"
            assert found == wanted or len(texts) > 1, f"{msgid!r} → {text!r}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_that_of_its_source(language: str) -> None:
    with (folder(language) / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    for msgid, texts in messages(language).items():
        if len(texts) == 1:
            assert compiled.gettext(msgid) == texts[0]


@pytest.mark.parametrize("name", ["WhatsApp", "SMS"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_names_of_products_stay(name: str, language: str) -> None:
    for msgid, texts in messages(language).items():
        if name in msgid.split():
            assert any(name in text for text in texts), f"{msgid!r} → {texts!r}"
