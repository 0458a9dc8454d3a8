"""Codes as they are typed and pasted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otp import codes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("482913", "482913"),
        (" 482 913\n", "482913"),
        ("482-913", "482913"),
        ("4 8 2 9 1 3", "482913"),
        ("482－913", "482913"),
        ("482\u2011913", "482913"),
        ("482\u00a0913", "482913"),
        ("482\u200c913", "482913"),
        ("482\u2028913", "482913"),
        ("\u2067٤٨٢٩١٣\u2069", "482913"),
        ("۴۸۲۹۱۳", "482913"),
        ("４８２９１３", "482913"),
        ("४८२९१३", "482913"),
        ("000001", "000001"),
        ("48291", "48291"),
        ("48291a", ""),
        ("", ""),
        ("  - ", ""),
        ("482913\x00", ""),
        ("482.913", ""),
        ("+482913", ""),
        ("①②③④⑤⑥", ""),
        ("1" * 1000, "1" * 1000),
        ("1" * 1001, ""),
    ],
)
def test_digits_of_any_script_with_spaces_and_dashes(text: str, expected: str) -> None:
    """A13, N4."""
    assert codes.typed(text) == expected


@pytest.mark.parametrize(
    "message",
    [
        "482913 is your Acme code. Do not share it.\n\n@login.acme.example #482913",
        "Your code: 482913.",
        "Your code is 482-913",
        "Your code is 482 913.",
        "G-482913",
        "(482913)",
        "482913;",
        "<#> 482913 is it FA+9qCX9VSu",
        "您的驗證碼是482913，10分鐘內有效",
        "認証コードは482913です",
        "رمز الدخول ٤٨٢٩١٣ إلى أكمي",
        "482913 \u2014 482913",
        "+852 5123 4567: 482913",
        "482913 10 minutes",
        "Код 482913, заявка 12345678",
        "4\u200b82913!",
    ],
)
def test_the_one_clear_group_of_a_message_is_the_code(message: str) -> None:
    """N5."""
    assert codes.in_message(message, 6) == "482913"


@pytest.mark.parametrize(
    "message",
    [
        "482913 or 482914",
        "Ref 123456, code 482-913",
        "call 123 456, code 482913",
        "a482913",
        "482913b",
        "order_482913",
        "token x482913y",
        "482.913",
        "482,913",
        "4829",
        "48291300",
        "482913 482914",
        "12 482913 7x",
        "no digits",
        "",
        "482913" + " " * 1000,
    ],
)
def test_what_is_not_clear_is_none(message: str) -> None:
    """N5."""
    expected = "482913" if message == "12 482913 7x" else ""  # the x makes a word with the 7 alone
    assert codes.in_message(message, 6) == expected


def test_the_group_is_of_the_length_of_the_code() -> None:
    """N5."""
    message = "Code 48291357, valid for 10 minutes, request 482913"

    assert codes.in_message(message, 8) == "48291357"
    assert codes.in_message(message, 6) == "482913"
    assert codes.in_message(message, 7) == ""


@given(st.text(max_size=200), st.integers(6, 10))
@settings(max_examples=300, deadline=None)
def test_whatever_is_pasted_a_code_has_its_length_or_there_is_none(text: str, length: int) -> None:
    """N5."""
    code = codes.in_message(text, length)

    assert code == "" or (len(code) == length and code.isascii() and code.isdigit())
