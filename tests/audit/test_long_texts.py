"""Long texts in events: every line that differs is there, no number is whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import long_texts
from audit.values import mask

LINE = st.text(st.characters(exclude_characters="\n+", exclude_categories=["Cs"]), min_size=1, max_size=300)


def difference(old: str, new: str) -> tuple[str, str]:
    return long_texts.difference(old, new, mask=mask)


def test_short_texts_are_whole() -> None:
    assert difference("one\ntwo", "one\nthree") == ("one\ntwo", "one\nthree")


@given(st.lists(LINE, min_size=8, max_size=20), st.lists(LINE, min_size=1, max_size=5), st.integers(0, 20))
def test_every_line_that_differs_is_shown(lines: list[str], more: list[str], place: int) -> None:
    old, new = "\n".join(lines), "\n".join([*lines[:place], *more, *lines[place:]])
    removed, added = difference(old, new)

    assert set(more) <= set(added.split("\n"))
    assert len(new) <= long_texts.LONGEST or removed == "…"


def test_long_lists_say_only_what_differs() -> None:
    many = "\n".join(f"https://shop{number}.example/" for number in range(100))

    assert difference(many, f"{many}\nhttps://b.example/") == ("…", "…\nhttps://b.example/")
    assert difference(f"https://b.example/\n{many}", many) == ("…\nhttps://b.example/", "…")


def test_a_line_that_is_there_twice_and_then_once_differs() -> None:
    many = "\n".join("x" * 100 for _ in range(20))

    assert difference(f"{many}\n{'x' * 100}", many) == ("…\n" + "x" * 100, "…")


@pytest.mark.parametrize("before", [0, 400, 999, 1000, 4000])
@pytest.mark.parametrize("lead", ["", "a line\n"])
def test_a_change_within_a_long_line_is_shown(before: int, lead: str) -> None:
    old, new = (f"{lead}{'x' * before}{word}{'y' * 3000}" for word in ("first", "second"))
    was, now = difference(old, new)

    assert "first" in was
    assert "second" in now
    assert max(len(was), len(now)) <= long_texts.LONGEST + 2


def test_the_same_lines_in_another_order_differ() -> None:
    many = [f"https://shop{number}.example/" for number in range(100)]
    was, now = difference("\n".join(many), "\n".join([*many[:-2], many[-1], many[-2]]))

    assert was.endswith("shop98.example/\nhttps://shop99.example/")
    assert now.endswith("shop99.example/\nhttps://shop98.example/")


@pytest.mark.parametrize("around", [0, 455, 495, 499, 500, 501, 538, 539, 540, 541, 990, 996, 1000])
def test_no_cut_leaves_a_number_whole(around: int) -> None:
    """Neither where it begins behind the beginning of what is shown nor where it ends behind its end."""
    old = "x" * around + "+85291234567" + "x" * 40 + "first" + "x" * around + "+85261234567 +85271234567" * 50
    new = old.replace("first", "second")

    for text in (
        *difference(old, new),
        *difference("a\n" + old, "a\n" + new),
        long_texts.whole(old, mask=mask),
    ):
        assert not [digits for digits in ("912345", "612345", "712345") if digits in text]


def test_only_numbers_that_are_masked_differ() -> None:
    old, new = (f"{'x' * 2000}{number}" for number in ("+85291234567", "+85261234567"))

    assert difference(old, new) == ("…" + "x" * 34 + "••••67",) * 2


def test_a_text_by_itself_has_the_beginning_of_every_line() -> None:
    text = "\n".join(["x" * 2000, "https://b.example/", "+85291234567"])

    assert long_texts.whole(text, mask=mask) == "x" * 1000 + "…\nhttps://b.example/\n••••67"
