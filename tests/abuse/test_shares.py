"""Rules that are shares of the project's day, and how ranges and periods are read. W5."""

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured

from abuse import rules as limits

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("either_store")]


@pytest.mark.parametrize(
    ("project", "hour", "day", "country"),
    [
        ("20000/1d", 40, 100, 10_000),
        ("100000/1d", 200, 500, 50_000),
        ("1000/1d", 40, 100, 500),
        ("10/1d", 10, 10, 5),
    ],
)
def test_shares_follow_the_projects_day(
    project: str, hour: int, day: int, country: int, settings: LazySettings
) -> None:
    """W5."""
    settings.AUTHSVC_LIMITS = {"send.project": project}
    rules = limits.rules()

    assert [rules[name].amount for name in ("send.range.hour", "send.range.day", "send.country")] == [
        hour,
        day,
        country,
    ]


@pytest.mark.parametrize(
    ("text", "amount"), [("7/1h", 7), ("1%/1h", 200), ("0.5%/1h", 100), ("0.01%/1h", 40)]
)
def test_a_share_may_be_replaced_by_either(text: str, amount: int, settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {"send.range.hour": text}

    assert limits.rules()["send.range.hour"].amount == amount


@pytest.mark.parametrize("phone", ["+85251234567", "+447911123456", "+6901234"])
def test_a_range_is_the_number_without_its_last_four_digits(phone: str) -> None:
    assert limits.range_of(phone) + phone[-4:] == phone


@pytest.mark.parametrize(("period", "seconds"), [("10s", 10), ("2m", 120), ("1h", 3600), ("3d", 259_200)])
def test_periods(period: str, seconds: int) -> None:
    assert limits.parse_rule("send.address", f"5/{period}").period_seconds == seconds


@pytest.mark.parametrize("name", ["send.address", "send.project", "guess.address"])
def test_only_parts_of_the_projects_day_can_be_shares(name: str, settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {name: "5%/1h"}

    with pytest.raises(ImproperlyConfigured, match=rf"{name} cannot be a share"):
        limits.rules()


def test_a_share_of_little_is_rounded_down_and_has_no_floor_of_its_own() -> None:
    assert limits.parse_rule("send.country", "10%/1h", whole=19).amount == 1
    assert limits.parse_rule("send.country", "10%/1h", whole=9).amount == 0
