"""What a check finds: levels, subjects, and clocks that differ."""

from collections.abc import Iterable
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from channels.findings import Finding, Level, TemplateSeen, about, clock, fail, ok, warn
from channels.types import FailureReason

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def off_by(seconds: float) -> list[Finding]:
    """What is found when our clock is ahead by these seconds."""
    return list(clock(format_datetime(NOW, usegmt=True), now=NOW + timedelta(seconds=seconds)))


def levels(items: Iterable[Finding]) -> list[Level]:
    return [item.level for item in items]


def test_each_maker_has_its_level_and_only_trouble_has_a_remedy() -> None:
    made = [ok("works"), warn("works so far", "Look."), fail("broken", "Mend it.")]

    assert levels(made) == [Level.OK, Level.WARN, Level.FAIL]
    assert [item.remedy for item in made] == ["", "Look.", "Mend it."]
    assert {(item.subject, item.template) for item in made} == {("", None)}


@pytest.mark.parametrize("subject", ["acme", 7, FailureReason.HELD])
def test_a_finding_about_something_is_the_same_finding_with_its_name(subject: object) -> None:
    plain = warn("text", "remedy")

    named = about(subject, plain)

    assert named.subject == str(subject)
    assert (named.level, named.text, named.remedy) == (plain.level, plain.text, plain.remedy)
    assert plain.subject == ""


def test_what_is_told_of_a_template_stays_with_the_finding() -> None:
    seen = TemplateSeen(language="en", reason=None, minutes=10)
    finding = Finding(level=Level.OK, text="approved", template=seen)

    assert about("acme", finding).template is seen
    assert (seen.word, seen.minutes) == ("", 10)


def test_findings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        ok("works").level = Level.FAIL  # type: ignore[misc]


# Clocks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 1, -1, 10, -10])
def test_clocks_within_ten_seconds_agree(seconds: float) -> None:
    """A Date header has whole seconds, and the answer took its way."""
    assert off_by(seconds) == []


@pytest.mark.parametrize(
    ("seconds", "shown"), [(11, "+11 s"), (-11, "-11 s"), (3600, "+3600 s"), (-86_400, "-86400 s")]
)
def test_a_clock_that_is_off_fails_and_says_by_how_much_and_which_way(seconds: float, shown: str) -> None:
    (finding,) = off_by(seconds)

    assert finding.level is Level.FAIL
    assert shown in finding.text
    assert "time service" in finding.remedy


@given(st.integers(-(10**7), 10**7))
def test_whether_clocks_differ_does_not_depend_on_the_direction(seconds: int) -> None:
    assert levels(off_by(seconds)) == levels(off_by(-seconds))
    assert bool(off_by(seconds)) is (abs(seconds) > 10)


@pytest.mark.parametrize("hours", [-11, -3, 0, 5.5, 13])
def test_a_date_of_another_zone_is_the_same_moment(hours: float) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=hours)))

    assert list(clock(format_datetime(elsewhere), now=NOW)) == []


@pytest.mark.parametrize(
    "date", ["Thu, 26 Nov 2026 12:00:00", "Thu, 26 Nov 2026 12:00:00 -0000", "26 Nov 2026 12:00:00 -0000"]
)
def test_a_date_without_a_zone_is_utc_as_http_says(date: str) -> None:
    """RFC 9110: an HTTP date is always in UTC, and a recipient takes it so."""
    assert list(clock(date, now=NOW)) == []
    assert levels(clock(date, now=NOW + timedelta(minutes=1))) == [Level.FAIL]


@given(
    st.text(max_size=60)
    | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,5} \d\d:\d\d:\d\d .{0,8}")
)
def test_no_date_whatever_stops_a_check(date: str) -> None:
    assert len(list(clock(date, now=NOW))) <= 1


def test_without_a_given_time_it_is_now() -> None:
    with time_machine.travel(NOW + timedelta(minutes=2), tick=False):
        (finding,) = clock(format_datetime(NOW, usegmt=True))

    assert "+120 s" in finding.text
