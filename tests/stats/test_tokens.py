"""Statistics tokens: what is stored, what is accepted, when their use is noted."""

from datetime import timedelta

import pytest
from django.utils import timezone

from stats import tokens
from stats.models import StatsToken
from tests.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def token() -> StatsToken:
    return StatsToken(name="Warehouse")


def test_only_a_hash_is_stored(token: StatsToken) -> None:
    text = tokens.issue(token)

    stored = bytes(StatsToken.objects.get().token_hash)
    assert len(stored) == 32
    assert text.encode() not in stored
    assert text.startswith("authsvc_stats_")
    assert str(token) == "Warehouse"


def test_no_two_are_the_same() -> None:
    assert len({tokens.issue(StatsToken(name="x")) for _ in range(20)}) == 20


@pytest.mark.parametrize("change", ["", "x", "short", "other"])
def test_what_is_no_token_reads_nothing(change: str, token: StatsToken) -> None:
    text = tokens.issue(token)
    wrong = {
        "": "",
        "x": text + "x",
        "short": text[:-1],
        "other": text[:-1] + ("A" if text[-1] != "A" else "B"),
    }

    assert tokens.read(wrong[change]) is None


def test_what_cannot_be_a_token_asks_no_database(token: StatsToken) -> None:
    with statements() as sent:
        for text in ("", "x" * 57, "authsvc_stats_", "authsvc_stats_" + "a" * 100):
            assert tokens.read(text) is None

    assert sent == []


def test_a_new_text_ends_the_old_one(token: StatsToken) -> None:
    first = tokens.issue(token)
    second = tokens.issue(token)

    assert tokens.read(first) is None
    assert tokens.read(second)


def test_use_is_noted_once_a_minute(token: StatsToken) -> None:
    text = tokens.issue(token)
    tokens.read(text)
    used = StatsToken.objects.get().last_used_at
    assert used

    tokens.read(text)
    assert StatsToken.objects.get().last_used_at == used

    StatsToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    tokens.read(text)
    again = StatsToken.objects.get().last_used_at
    assert again
    assert again >= used


def test_a_revoked_one_stays_revoked(token: StatsToken) -> None:
    text = tokens.issue(token)

    assert [tokens.revoke(token), tokens.revoke(token)] == [True, False]
    assert tokens.read(text) is None
