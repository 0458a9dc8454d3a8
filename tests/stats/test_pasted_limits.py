"""Pasted prices at their limits, and tokens of one project beside another's."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import ValidationError

from projects.config import ProjectConfig
from stats import prices, report, tokens
from stats.models import Price, StatsToken
from tests import factories

pytestmark = pytest.mark.django_db
HEAD = "provider,country,category,amount,currency,valid_from\n"
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_the_last_of_two_lines_of_one_kind_counts() -> None:
    assert prices.paste(HEAD + "meta,HK,,0.1,USD,2026-01-01\nmeta,hk,,0.3,usd,2026-01-01") == 2
    assert Price.objects.values_list("amount", "currency").get() == (Decimal("0.3"), "USD")


def test_a_refused_paste_leaves_the_prices_of_before() -> None:
    prices.paste(HEAD + "meta,HK,,0.1,USD,2026-01-01")

    with pytest.raises(ValidationError):
        prices.paste(HEAD + "meta,HK,,0.9,USD,2026-01-01\nmeta,HK,,-0.000001,USD,2026-01-02")

    assert Price.objects.get().amount == Decimal("0.1")


@pytest.mark.parametrize(
    ("amount", "micros"), [("0", 0), ("0.000001", 1), ("999999.999999", 999_999_999_999)]
)
def test_the_smallest_and_the_largest_amount_are_exact(amount: str, micros: int) -> None:
    prices.paste(HEAD + f"meta,HK,,{amount},USD,2026-01-01")

    found = prices.PriceList.load().of(provider="meta", country="HK", category="", on=date(2026, 1, 1))
    assert found == prices.Amount(micros=micros, currency="USD")
    assert report.money(micros) == Decimal(amount)


def test_twenty_wrong_lines_are_named_at_most() -> None:
    with pytest.raises(ValidationError) as raised:
        prices.paste(HEAD + "nobody,HK,,1,USD,2026-01-01\n" * 30)

    assert [text.partition(":")[0] for text in raised.value.messages] == [f"Line {n}" for n in range(2, 22)]


def test_as_many_lines_as_are_allowed_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "MOST_ROWS", 2)

    assert prices.paste(HEAD + "meta,HK,,1,USD,2026-01-01\nmeta,CO,,1,USD,2026-01-01\n") == 2
    with pytest.raises(ValidationError):
        prices.paste(HEAD + "".join(f"twilio,{place},,1,USD,2026-01-01\n" for place in ("HK", "CO", "IN")))
    assert not Price.objects.filter(provider="twilio").exists()


def test_a_token_reads_the_project_that_it_was_made_for(project: ProjectConfig) -> None:
    beta = factories.make_project(slug="beta", name="Beta", is_default=False, senders=False)
    texts = {
        owner: tokens.issue(StatsToken(name="same", project_id=owner))
        for owner in (None, project.id, beta.id)
    }

    for owner, text in texts.items():
        reader = tokens.read(text)
        assert reader
        assert reader.project_id == owner


def test_revoking_one_of_two_of_a_name_leaves_the_other(project: ProjectConfig) -> None:
    first, second = StatsToken(name="same"), StatsToken(name="same")
    kept, gone = tokens.issue(first), tokens.issue(second)

    assert tokens.revoke(second)

    assert tokens.read(kept)
    assert tokens.read(gone) is None
    assert StatsToken.objects.get(pk=second.pk).last_used_at is None


def test_use_is_noted_after_more_than_a_minute_and_never_backwards() -> None:
    text = tokens.issue(StatsToken(name="x"))
    for seconds, noted in ((0, 0), (60, 0), (61, 61), (-300, 61)):
        with time_machine.travel(NOON + timedelta(seconds=seconds), tick=False):
            assert tokens.read(text)
        assert StatsToken.objects.get().last_used_at == NOON + timedelta(seconds=noted)


def test_what_is_no_csv_is_refused() -> None:
    with pytest.raises(ValidationError, match="CSV"):
        prices.paste(HEAD + "x" * 140_000 + ",HK,,1,USD,2026-01-01\n")
    assert not Price.objects.exists()
