"""Redis and the memory of one process count alike: charges are made up, both stores take them, answers are compared."""

import uuid

import pytest
import redis
from django.conf import LazySettings, settings
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from abuse import limiter, throttle
from abuse.errors import RateLimited
from abuse.limiter import Charge, Charged, Rule
from core.redis import LocalStore, redis_client
from tests.abuse.stores import without_redis

pytestmark = [pytest.mark.stores, pytest.mark.postgres]  # run with Redis

# Each has a period of its own: of two equal waits a millisecond would decide which rule refuses.
RULES = [Rule(name=f"rule.{nth}", amount=nth, period_seconds=600 * (nth + 1)) for nth in (0, 1, 2, 5)]
plain = st.builds(
    Charge,
    rule=st.sampled_from(RULES),
    subject=st.sampled_from(["a", "b"]),
    need=st.integers(0, 3),
    cost=st.integers(0, 2),
    near=st.sampled_from([0, 1, 2]),
    place=st.just(""),
    instead=st.just(()),
)
charges = st.builds(
    Charge,
    rule=st.sampled_from(RULES),
    subject=st.sampled_from(["a", "b"]),
    need=st.integers(0, 3),
    cost=st.integers(0, 2),
    near=st.sampled_from([0, 1, 2]),
    place=st.just(""),
    instead=st.lists(plain, max_size=2).map(tuple),
)
forms = st.sampled_from(["", "form"])
requests = st.tuples(st.lists(charges, min_size=1, max_size=4), forms)


@pytest.fixture(autouse=True)
def store() -> "redis.Redis":
    client = redis_client()
    assert client, "PostgreSQL is tested with Redis"
    return client


def clear(store: "redis.Redis") -> None:
    store.flushdb()
    LocalStore.clear_all()


def taken(items: list[Charge], once: str, candidate: uuid.UUID) -> object:
    """What the store answers, without the configuration version, which only Redis reads along. Which rule refuses is
    decided by milliseconds where several waits have one length, so it is compared in tests of single windows."""
    try:
        charged: Charged = limiter.charge(items, once=once, candidate=candidate)
    except RateLimited as refusal:
        return refusal.wait_seconds
    return charged.first, charged.near


@examples(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(rounds=st.lists(requests, min_size=1, max_size=6))
def test_limits(store: "redis.Redis", rounds: list[tuple[list[Charge], str]]) -> None:
    clear(store)
    candidates = [uuid.UUID(int=nth + 1) for nth in range(len(rounds))]
    in_redis = [
        taken(items, once, candidate) for (items, once), candidate in zip(rounds, candidates, strict=True)
    ]
    with without_redis():
        in_memory = [
            taken(items, once, candidate) for (items, once), candidate in zip(rounds, candidates, strict=True)
        ]

    assert in_redis == in_memory


def throttled(counts: list[tuple[str, str]]) -> int:
    try:
        throttle.charge(*counts)
    except throttle.TooMany as refusal:
        return refusal.wait_seconds
    return 0


@examples(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rounds=st.lists(
        st.lists(
            st.tuples(st.sampled_from(["push.address", "push.client"]), st.sampled_from(["a", "b"])),
            min_size=1,
            max_size=2,
            unique=True,
        ),
        max_size=8,
    )
)
def test_throttles(store: "redis.Redis", rounds: list[list[tuple[str, str]]]) -> None:
    clear(store)
    limits: LazySettings = settings
    before = limits.AUTHSVC_LIMITS
    limits.AUTHSVC_LIMITS = {"push.address": "2/10m", "push.client": "3/10m"}
    try:
        in_redis = [throttled(counts) for counts in rounds]
        with without_redis():
            in_memory = [throttled(counts) for counts in rounds]
    finally:
        limits.AUTHSVC_LIMITS = before

    assert [bool(wait) for wait in in_redis] == [bool(wait) for wait in in_memory]
