"""Bad and good news of one subject, in any order. Values in, values out."""

from datetime import UTC, datetime, timedelta

import pytest

from channels import notices
from channels.notices import SHOWN_FOR, SKIPPED_FOR, Notice, Topic

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def paused(notice: Notice, at: datetime, *, reason: str = "template_paused", skips: bool = True) -> Notice:
    return notices.raised(notice, reason=reason, provider_code="132015", at=at, skips=skips)


def test_bad_news_skip_the_language_for_a_quarter_of_an_hour() -> None:
    notice = paused(Notice(), NOW)

    assert timedelta(minutes=15) == SKIPPED_FOR
    assert timedelta(days=7) == SHOWN_FOR
    assert (notice.reason, notice.provider_code, notice.since) == ("template_paused", "132015", NOW)
    assert notices.is_skipped(notice.skipped_until, now=NOW + SKIPPED_FOR - SECOND)
    assert not notices.is_skipped(notice.skipped_until, now=NOW + SKIPPED_FOR)
    assert not notices.is_skipped(None, now=NOW)


def test_a_warning_skips_nothing() -> None:
    assert paused(Notice(), NOW, skips=False).skipped_until is None


def test_while_it_is_skipped_the_wait_is_not_made_longer() -> None:
    first = paused(Notice(), NOW)
    again = paused(first, NOW + timedelta(minutes=5))

    assert again.skipped_until == first.skipped_until
    assert (again.since, again.bad_at) == (NOW, NOW + timedelta(minutes=5))


def test_afterwards_it_is_skipped_anew_and_began_when_it_began() -> None:
    later = NOW + SKIPPED_FOR
    again = paused(paused(Notice(), NOW), later)

    assert (again.skipped_until, again.since) == (later + SKIPPED_FOR, NOW)


def test_good_news_end_it_and_what_was_true_before_is_not_believed() -> None:
    over = notices.ended(paused(Notice(), NOW), at=NOW + SECOND)

    assert (over.reason, over.skipped_until, over.since, over.good_at) == ("", None, None, NOW + SECOND)
    assert paused(over, NOW) == over
    assert paused(over, NOW + SECOND).reason == "template_paused"


def test_good_news_from_before_the_bad_ones_end_nothing() -> None:
    notice = paused(Notice(), NOW)

    assert notices.ended(notice, at=NOW - SECOND) == notice
    assert notices.ended(notice, at=NOW).reason == ""


def test_older_bad_news_change_nothing_and_another_reason_does() -> None:
    notice = paused(Notice(), NOW)

    assert paused(notice, NOW - SECOND, reason="template_missing") == notice
    assert paused(notice, NOW + SECOND, reason="template_missing").reason == "template_missing"


def test_good_news_are_remembered_although_nothing_was_wrong() -> None:
    """An approval that overtakes the pause before it."""
    over = notices.ended(Notice(), at=NOW)

    assert paused(over, NOW - SECOND) == over
    assert notices.ended(over, at=NOW - SECOND).good_at == NOW


def test_long_words_fit_their_columns() -> None:
    notice = notices.raised(Notice(), reason="x" * 90, provider_code="y" * 90, at=NOW, skips=False)

    assert (len(notice.reason), len(notice.provider_code)) == (40, 20)


@pytest.mark.parametrize(
    ("written", "normal"), [("es-MX", "es_MX"), ("es_MX", "es_MX"), ("en", "en"), ("", "")]
)
def test_a_language_has_one_spelling(written: str, normal: str) -> None:
    assert notices.normal_language(written) == normal


def test_topics_know_whether_they_name_a_template() -> None:
    assert {topic for topic in Topic if topic.is_of_template} == {
        Topic.TEMPLATE, Topic.TEMPLATE_RISK, Topic.TEMPLATE_QUALITY, Topic.TEMPLATE_CATEGORY,
    }  # fmt: skip
