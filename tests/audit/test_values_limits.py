"""Masks and cuts at their limits: the shortest and longest number, the longest line."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import long_texts, values

NUMBER = "+85251234567"
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(NUMBER) | st.just(NUMBER.encode()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("+123456", "+123456"),
        ("+1234567", "••••67"),
        ("+123456789012345", "••••45"),
        (f"{NUMBER},{NUMBER}", "••••67,••••67"),
        (f"+{NUMBER}", "+••••67"),
        ("+852 5123 4567", "+852 5123 4567"),
    ],
)
def test_the_shortest_and_the_longest_number_are_masked(text: str, shown: str) -> None:
    assert values.mask(text) == shown


@given(ANY)
def test_no_number_is_left_however_deep_it_is(value: Any) -> None:
    assert "5123" not in repr(values.plain(value))


@given(ANY, ANY)
def test_a_change_and_its_reverse_name_the_same_fields(old: Any, new: Any) -> None:
    before, after = ({"it": values.Column(stored=value)} for value in (old, new))
    was, now = values.changes(before, after)

    assert values.changes(after, before) == (now, was)
    assert "5123" not in repr((was, now))


@pytest.mark.parametrize(("length", "is_cut"), [(999, False), (1000, False), (1001, True)])
def test_a_line_is_cut_behind_its_thousandth_character(length: int, is_cut: bool) -> None:
    assert values.plain("x" * length) == "x" * min(length, 1000) + "…" * is_cut


def test_two_texts_of_a_thousand_characters_are_still_whole() -> None:
    old, new = "a\n" + "x" * 998, "b\n" + "x" * 998

    assert long_texts.difference(old, new, mask=values.mask) == (old, new)
    assert long_texts.difference(old + "x", new + "x", mask=values.mask) == ("…\na", "…\nb")


def test_a_long_text_that_is_emptied_is_shown_beside_nothing() -> None:
    was, now = long_texts.difference("x" * 2000, "", mask=values.mask)

    assert (was, now) == ("x" * 1000 + "…", "")


def test_a_secret_that_is_emptied_was_there() -> None:
    assert values.changed_secrets({"token": "kept"}, {}) == ({"token": "••••"}, {})
    assert values.changed_secrets({}, {}) == ({}, {})
