"""base64url: the same as the standard library's, without padding."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import base64url


@given(st.binary(max_size=80))
def test_it_is_what_the_standard_library_writes_and_reads(data: bytes) -> None:
    text = base64url.encode(data).decode()

    assert text == base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    assert base64url.decode(text) == data


@pytest.mark.parametrize(("data", "text"), [(b"", b""), (b"\xfb\xef\xff", b"--__"), (b"\xff", b"_w")])
def test_its_alphabet_is_safe_in_urls(data: bytes, text: bytes) -> None:
    assert base64url.encode(data) == text
