"""Ceilings: counted together, in Redis or in this process, bounded, and never in anybody's way for long. O6."""

import pytest
import redis
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured

from abuse import rules, throttle
from abuse.throttle import CEILINGS, TooMany, ceiling, charge
from core.addresses import network_of
from tests.clock import later
from tests.threads import at_once

pytestmark = pytest.mark.stores

ONE, OTHER = "push.address", "push.client"


@pytest.fixture(params=["as configured", "in memory", "store away"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it counts, it counts the same."""

    class Away:
        def run(self, *_: object) -> object:
            raise redis.ConnectionError

    if request.param == "in memory":
        monkeypatch.setattr(throttle, "redis_client", lambda: None)
    if request.param == "store away":
        away = Away()
        monkeypatch.setattr(throttle, "redis_client", lambda: away)


@pytest.mark.usefixtures("way")
def test_as_many_as_the_ceiling_says_and_no_more(settings: LazySettings) -> None:
    """O6"""
    settings.AUTHSVC_LIMITS = {ONE: "3/10m"}
    for _ in range(3):
        charge((ONE, "a"))

    with pytest.raises(TooMany) as refused:
        charge((ONE, "a"))
    assert 590 < refused.value.wait_seconds <= 600
    charge((ONE, "b"))
    with later(601):
        charge((ONE, "a"))


@pytest.mark.usefixtures("way")
def test_all_or_none_are_counted(settings: LazySettings) -> None:
    """O6: what was refused by one uses up nothing of another."""
    settings.AUTHSVC_LIMITS = {ONE: "1/10m", OTHER: "2/1h"}
    charge((ONE, "a"), (OTHER, "x"))
    for _ in range(5):
        with pytest.raises(TooMany):
            charge((ONE, "a"), (OTHER, "x"))

    charge((ONE, "b"), (OTHER, "x"))
    with pytest.raises(TooMany) as refused:
        charge((ONE, "b"), (OTHER, "x"))
    assert refused.value.wait_seconds > 3590  # the longer wait is told


@pytest.mark.usefixtures("way")
def test_nothing_is_lost_between_threads(settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {ONE: "20/10m"}

    results = at_once([lambda: charge((ONE, "a"))] * 40)

    assert sum(result is None for result in results) == 20
    assert sum(isinstance(result, TooMany) for result in results) == 20


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    """O6: the oldest window is forgotten, nobody new is refused."""
    monkeypatch.setattr(throttle, "redis_client", lambda: None)
    monkeypatch.setattr(throttle._memory._windows, "max_entries", 10)
    settings.AUTHSVC_LIMITS = {ONE: "1/10m"}
    for nth in range(50):
        charge((ONE, f"subject {nth}"))

    assert len(throttle._memory._windows) == 10
    with pytest.raises(TooMany):
        charge((ONE, "subject 49"))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_whom_an_address_stands_for(address: str, network: str) -> None:
    assert network_of(address) == network


def test_operators_replace_single_ones(settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {ONE: "7/2h"}

    assert (ceiling(ONE).amount, ceiling(ONE).seconds) == (7, 7200)
    assert ceiling(OTHER) == CEILINGS[OTHER]
    assert rules.rules()["send.address"].amount == 60


@pytest.mark.parametrize("changes", [{ONE: "7"}, {ONE: "7/0m"}, {ONE: "x/1m"}, {"push.nobody": "1/1m"}])
def test_what_is_no_limit_is_named(settings: LazySettings, changes: dict[str, str]) -> None:
    """As for those of abuse.rules: the start stops."""
    settings.AUTHSVC_LIMITS = changes

    with pytest.raises(ImproperlyConfigured):
        rules.rules()
