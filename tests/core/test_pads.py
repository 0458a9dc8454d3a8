"""HMAC by its pads: what PostgreSQL computes of them is what Django computes of the secret key."""

import hashlib

import pytest
from django.conf import settings
from django.db import connection
from django.utils.crypto import salted_hmac
from hypothesis import given
from hypothesis import strategies as st

from core.pads import hmac_pads


@given(salt=st.text(max_size=80), secret_key=st.text(min_size=1, max_size=90), text=st.text(max_size=200))
def test_the_digest_is_djangos(salt: str, secret_key: str, text: str) -> None:
    inner, outer = hmac_pads(salt, secret_key)

    digest = hashlib.sha256(outer + hashlib.sha256(inner + text.encode()).digest()).hexdigest()

    assert digest == salted_hmac(salt, text, secret_key, algorithm="sha256").hexdigest()
    assert (len(inner), len(outer)) == (64, 64)


def test_pads_tell_neither_the_key_nor_each_other() -> None:
    pads = {pad for salt in ("a", "b") for key in ("k" * 40, "l" * 40) for pad in hmac_pads(salt, key)}

    assert len(pads) == 8
    assert not any(b"kkk" in pad or b"lll" in pad for pad in pads)


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "ascii", "é漢 \u200e", "x" * 1000])
def test_postgresql_computes_the_same(text: str) -> None:
    inner, outer = hmac_pads("salt", settings.SECRET_KEY)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(sha256(%s::bytea || sha256(%s::bytea || convert_to(%s, 'UTF8'))), 'hex')",
            [outer, inner, text],
        )
        (computed,) = cursor.fetchone()

    assert computed == salted_hmac("salt", text, algorithm="sha256").hexdigest()
