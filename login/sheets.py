"""Pages that are rendered once and then only filled in, because rendering costs more than the rest of a request.

A sheet is what a template makes of everything that it decides by (`fixed`, which values are empty, the language), with
holes for the values. It is made of its key and of nothing else: no request, no person and no configuration, so it never
holds anything of anybody, and another configuration is another key. Values come in afterwards, escaped, each time.
"""

import html
import secrets
from collections.abc import Hashable, Mapping
from functools import lru_cache

from django.template.loader import get_template
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

# Around the name of a hole. No text of a page can have it, and a filter would change it but for the number.
_SECRET = str(secrets.randbits(128))
_MARK = f"<{_SECRET}>"
# Languages, projects and states of a page: a few kilobytes each.
_MOST_SHEETS = 512


class ValueChanged(Exception):
    """A template does more with a value than print it or ask whether it is empty: it belongs to `fixed`."""


def fill(template: str, *, fixed: Mapping[str, Hashable], values: Mapping[str, str | int]) -> SafeString:
    """The template in the current language, as if it was rendered with `fixed` and `values` together.

    It may print the values and ask whether they are empty (or 0), and nothing else. A SafeString is not escaped.
    Raises ValueChanged.
    """
    filled = tuple(name for name, value in values.items() if value)
    empty = tuple((name, value) for name, value in values.items() if not value)
    pieces = _sheet(template, translation.get_language(), tuple(fixed.items()), filled, empty)
    # A text, a name, a text, …
    text = [_escaped(values[piece]) if nth % 2 else piece for nth, piece in enumerate(pieces)]
    return mark_safe("".join(text))  # noqa: S308 # the template's own text, and values that are escaped here


def _escaped(value: str | int) -> str:
    """As Django's conditional_escape, whose support of lazy texts costs as much as all the rest of `fill`."""
    return value if isinstance(value, SafeString) else html.escape(str(value))


@lru_cache(maxsize=_MOST_SHEETS)
def _sheet(
    template: str,
    language: str | None,
    fixed: tuple[tuple[str, Hashable], ...],
    filled: tuple[str, ...],
    empty: tuple[tuple[str, str | int], ...],
) -> tuple[str, ...]:
    """Texts of the page and names of values, in turn."""
    holes = {name: SafeString(f"{_MARK}{name}{_MARK}") for name in filled}
    with translation.override(language):
        text = get_template(template).render({**dict(fixed), **dict(empty), **holes})
    pieces = tuple(text.split(_MARK))
    if not set(pieces[1::2]) <= set(filled) or _SECRET in "".join(pieces):
        raise ValueChanged(template)
    return pieces
