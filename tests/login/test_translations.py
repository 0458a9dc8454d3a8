"""The catalogues of the pages: whole, with their placeholders, and compiled from what stands beside them."""

import gettext
import re
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.template.base import Lexer, TokenType
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def folder(language: str) -> Path:
    return ROOT / "locale" / to_locale(language) / "LC_MESSAGES"


def messages(language: str) -> dict[str, tuple[str, ...]]:
    """msgid → its translations, one for each plural form. A context stands before its msgid, as in a .mo file."""
    with (folder(language) / "django.po").open("rb") as file:
        catalogue = read_po(file)
    rows: dict[str, tuple[str, ...]] = {}
    for message in catalogue:
        if message.id:
            key = message.id if isinstance(message.id, str) else message.id[0]
            texts = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
            rows[in_context(message.context, str(key))] = tuple(str(text) for text in texts)
    return rows


def in_context(context: str | None, msgid: str) -> str:
    return f"{context}\4{msgid}" if context else msgid


TEMPLATES = sorted([*(ROOT / "templates").glob("*.html"), *(ROOT / "templates" / "login").rglob("*.html")])
# The administration, the API and the demonstration speak English only.
MODULES = sorted(
    set((ROOT / "login").rglob("*.py")) - {ROOT / "login" / "admin.py", ROOT / "login" / "models.py"}
)
_FUNCTIONS = {
    "_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None,
    "ngettext": (1, 2), "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3), "npgettext_lazy": ((1, "c"), 2, 3),
}  # fmt: skip


def texts_of(path: Path) -> set[str]:
    """The msgids of a page or a module."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".html":  # as Python that calls gettext, of which only the calls matter
        source = "\n".join(line.strip() for line in templatize(source).splitlines())
    rows = extract("python", BytesIO(source.encode()), keywords=_FUNCTIONS)
    return {
        in_context(context, msgid if isinstance(msgid, str) else msgid[0]) for _, msgid, _, context in rows
    }


class Words(HTMLParser):
    """What of a page people read or hear."""

    _SPOKEN = re.compile(r"aria-label|title|alt|placeholder|data-(busy|offline|none|text|label|waiting)")

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.words += [value for name, value in attrs if value and self._SPOKEN.fullmatch(name)]

    def handle_data(self, data: str) -> None:
        self.words += [data.strip()] if data.strip() else []


def bare_words(source: str) -> list[str]:
    """Letters of a template that no tag translates."""
    parser, is_translated = Words(), False
    for token in Lexer(source).tokenize():
        if token.token_type is TokenType.BLOCK:
            name = token.contents.split()[0]
            is_translated = name == "blocktranslate" or (is_translated and name != "endblocktranslate")
        elif token.token_type is TokenType.TEXT and not is_translated:
            parser.feed(token.contents)
    return [word for word in parser.words if re.search(r"[^\W\d_]{2}", word)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    empty = [msgid for msgid, texts in messages(language).items() if not all(texts)]

    assert empty == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_texts(language: str) -> None:
    assert set(messages(language)) == set(messages(LANGUAGES[0]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_has_the_texts_of_the_pages_and_no_others(language: str) -> None:
    used = set().union(*(texts_of(path) for path in [*TEMPLATES, *MODULES]))

    assert used - set(messages(language)) == set(), "missing"
    assert set(messages(language)) - used == set(), "no longer used"


@pytest.mark.parametrize(
    ("name", "source", "msgids"),
    [
        ("a.html", '{% load i18n %}<p title="{% translate "One" %}">{% trans "Two" %}</p>', {"One", "Two"}),
        ("a.html", "{% blocktranslate with b=c %}Three {{ b }}{% endblocktranslate %}", {"Three %(b)s"}),
        (
            "a.html",
            "{% blocktranslate count n=m %}{{ n }} day{% plural %}{{ n }} days{% endblocktranslate %}",
            {"%(n)s day"},
        ),
        ("a.py", '_("Four" " and a half")\nngettext("a", "b", 2)', {"Four and a half", "a"}),
        ("a.py", 'pgettext("channel", "SMS")', {"channel\4SMS"}),
    ],
)
def test_every_way_to_mark_a_text_is_seen(tmp_path: Path, name: str, source: str, msgids: set[str]) -> None:
    path = tmp_path / name
    path.write_text(source, encoding="utf-8")

    assert texts_of(path) == msgids


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_page_has_words_that_are_not_translated(path: Path) -> None:
    assert bare_words(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<p>Hello {% translate 'you' %}</p>", ["Hello"]),
        ("<p>{% translate 'Hello' %}</p>", []),
        ("<button aria-label='Close' class='small'>×</button>", ["Close"]),
        ("<p data-busy='Sending'></p>", ["Sending"]),
        ("<p>{% blocktranslate %}Hello <b>you</b>{% endblocktranslate %} there</p>", ["there"]),
    ],
)
def test_words_without_a_translation_are_noticed(source: str, words: list[str]) -> None:
    assert bare_words(source) == words


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_a_guess(language: str) -> None:
    with (folder(language) / "django.po").open("rb") as file:
        assert [message.id for message in read_po(file) if message.id and message.fuzzy] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_are_kept(language: str) -> None:
    """A plural form may leave out the number (one second), never invent a placeholder."""
    for msgid, texts in messages(language).items():
        expected = set(_PLACEHOLDER.findall(msgid))
        for text in texts:
            kept = set(_PLACEHOLDER.findall(text))
            assert kept <= expected, f"{msgid!r} → {text!r}"
            assert kept == expected or len(texts) > 1, f"{msgid!r} → {text!r}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_that_of_its_source(language: str) -> None:
    with (folder(language) / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    for key, texts in messages(language).items():
        context, _, msgid = key.rpartition("\4")
        if len(texts) > 1:
            assert {compiled.ngettext(msgid, "", number) for number in range(201)} == set(texts)
        elif context:
            assert compiled.pgettext(context, msgid) == texts[0]
        else:
            assert compiled.gettext(msgid) == texts[0]


@pytest.mark.parametrize("name", ["WhatsApp", "SMS", "START"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_names_of_products_stay(name: str, language: str) -> None:
    for msgid, texts in messages(language).items():
        if name in re.split(r"[\s\4,:.]", msgid):
            assert any(name in text for text in texts), f"{msgid!r} → {texts!r}"
