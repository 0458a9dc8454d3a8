"""Bad and good news of one subject end alike in whatever order they come, however often they are repeated."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import notices
from channels.notices import LONGEST_LANGUAGE, SKIPPED_FOR, Notice, Subject, Topic

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
type Report = tuple[int, str]  # at this minute, with this reason; "" is good


def after(reports: Sequence[Report], *, skips: bool = True) -> Notice:
    notice = Notice()
    for minute, reason in reports:
        at = NOW + minute * MINUTE
        if reason:
            notice = notices.raised(notice, reason=reason, provider_code="7", at=at, skips=skips)
        else:
            notice = notices.ended(notice, at=at)
    return notice


# Each at a minute of its own: what is true at the same moment is decided by who comes last.
reported = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(["", "", "template_paused", "template_missing"])),
    max_size=8,
    unique_by=lambda item: item[0],
)


@given(reported, st.randoms(use_true_random=False))
def test_the_last_word_counts_in_whatever_order_it_comes(reports: list[Report], random: Random) -> None:
    shuffled = list(reports)
    random.shuffle(shuffled)

    notice = after(shuffled)

    last = max(reports, default=(0, ""))
    assert notice.reason == last[1]


@given(reported)
def test_what_is_posted_again_changes_nothing(reports: list[Report]) -> None:
    """Meta repeats for seven days what was not answered."""
    notice = after(sorted(reports))

    assert after([*sorted(reports), *reports]).reason == notice.reason


@given(reported)
def test_a_state_is_whole(reports: list[Report]) -> None:
    notice = after(reports)

    if notice.reason:
        assert notice.since is not None
        assert notice.bad_at is not None
        assert notice.since <= NOW + 60 * MINUTE
        assert notice.good_at is None or notice.good_at <= notice.bad_at
    else:
        assert (notice.since, notice.skipped_until, notice.provider_code) == (None, None, "")


@given(reported)
def test_a_language_is_never_skipped_for_longer_than_a_quarter_of_an_hour_after_the_last_bad_news(
    reports: list[Report],
) -> None:
    notice = after(reports)

    if notice.skipped_until is not None:
        assert notice.bad_at is not None
        assert notice.skipped_until <= notice.bad_at + SKIPPED_FOR


@given(reported)
def test_a_warning_never_skips(reports: list[Report]) -> None:
    assert after(reports, skips=False).skipped_until is None


@pytest.mark.parametrize(
    "order", list(permutations([(0, "template_paused"), (5, ""), (10, "template_missing")])), ids=str
)
def test_a_pause_an_approval_and_a_deletion(order: tuple[Report, ...]) -> None:
    notice = after(order)

    assert (notice.reason, notice.bad_at) == ("template_missing", NOW + 10 * MINUTE)


@pytest.mark.parametrize(
    ("minutes", "skipped"),
    [(0, True), (14, True), (15, False), (16, False), (60, False)],
)
def test_a_language_is_tried_again_after_a_quarter_of_an_hour(minutes: int, skipped: bool) -> None:
    notice = after([(0, "template_paused")])

    assert notices.is_skipped(notice.skipped_until, now=NOW + minutes * MINUTE) is skipped


@pytest.mark.parametrize(
    ("bad", "until"),
    [
        ([0], 15),
        ([0, 14], 15),  # while it is skipped nothing is prolonged
        ([0, 15], 30),
        ([0, 15, 29], 30),
        ([0, 40], 55),
    ],
)
def test_each_refusal_after_the_wait_begins_another_one(bad: list[int], until: int) -> None:
    notice = after([(minute, "template_paused") for minute in bad])

    assert notice.skipped_until == NOW + until * MINUTE
    assert notice.since == NOW


def test_after_good_news_the_trouble_begins_anew() -> None:
    notice = after([(0, "template_paused"), (20, ""), (30, "template_paused")])

    assert (notice.since, notice.skipped_until) == (NOW + 30 * MINUTE, NOW + 45 * MINUTE)
    assert notice.good_at == NOW + 20 * MINUTE


def test_a_change_of_reason_keeps_the_beginning() -> None:
    notice = after([(0, "template_paused"), (20, "template_missing")])

    assert (notice.reason, notice.since) == ("template_missing", NOW)


@given(st.text(max_size=60))
def test_any_language_has_one_spelling_that_fits_its_column(language: str) -> None:
    normal = notices.normal_language(language)

    assert len(normal) <= LONGEST_LANGUAGE
    assert "-" not in normal
    assert notices.normal_language(normal) == normal


def test_a_subject_is_told_from_another_by_topic_template_and_language() -> None:
    """Rows and memory are kept by it."""
    subjects = {
        Subject(topic=topic, template=template, language=language)
        for topic in Topic
        for template in ("", "login_code")
        for language in ("", "en")
    }

    assert len(subjects) == len(Topic) * 4
    assert Subject(topic=Topic.TEMPLATE, template="login_code", language="en") in subjects


def test_a_topics_word_fits_its_column() -> None:
    assert max(len(topic) for topic in Topic) <= 20
