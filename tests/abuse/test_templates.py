"""Charges made once for many requests are those that each request would make, and are taken under one configuration."""

import json
import uuid

import pytest
import redis
from django.conf import LazySettings
from hypothesis import given

from abuse import charges, limiter
from abuse import rules as limits
from abuse.charges import Relief, Sending
from abuse.errors import RateLimited, Unavailable
from abuse.types import Charge, Charges, Rule, Template
from core import config_version
from core.config_models import ConfigVersion
from core.config_version import VERSION_KEY, Outdated
from core.redis import redis_client
from tests.abuse.test_rules import reliefs, sendings
from tests.budgets.spending import counted_round_trips

TWICE = Rule(name="twice", amount=2, period_seconds=60)
TWO = Charge(rule=TWICE, subject="{who}", near=2, place="at {who}")


def of(who: str) -> Charges:
    return Charges(Template([TWO]), {"who": who})


# What they are --------------------------------------------------------------------------------------


@given(sending=sendings, relief=reliefs)
def test_a_request_fills_in_its_keys(sending: Sending, relief: Relief) -> None:
    """Keys and numbers are those of the same charges, made one by one."""
    made = charges.start(sending, resend_after_seconds=30, may_fall_back=True, relief=relief)
    single = Charges.of(list(made))

    assert list(made.keys) == list(single.keys)
    assert made.template.numbers == single.template.numbers
    assert [made.item(nth) for nth in range(1, len(single.keys) + 1)] == list(single.template.flat)
    assert "{" not in "".join(made.keys)


@given(sending=sendings)
def test_requests_of_a_kind_share_what_they_are(sending: Sending) -> None:
    def template(resend_after_seconds: int = 30, *, may_fall_back: bool = True) -> Template:
        made = charges.start(sending, resend_after_seconds=resend_after_seconds, may_fall_back=may_fall_back)
        return made.template

    assert template() is template()
    assert template() is not template(31)
    assert template() is not template(may_fall_back=False)


def test_a_changed_limit_is_another_template(settings: LazySettings) -> None:
    before = charges.guess(address="192.0.2.1")
    settings.AUTHSVC_LIMITS = {"guess.address": "3/1h"}
    after = charges.guess(address="192.0.2.1")

    assert [item.rule.amount for item in after] == [3]
    assert before.template is not after.template
    assert after[0].rule is limits.rules()["guess.address"]


def test_numbers_are_in_the_order_in_which_the_script_reads_them() -> None:
    other = Charge(rule=TWICE, subject="b", need=0, cost=3)
    rule = Rule(name="x", amount=5, period_seconds=0.5)
    template = Template([Charge(rule=rule, subject="a", need=2, cost=4, near=3, instead=(other,))])

    assert json.loads(template.numbers) == [5, 2, 4, 500, 3, 1, 2, 0, 3, 60_000, 0, 0]


def test_it_is_a_list_of_charges() -> None:
    made = Charges(Template([TWO, Charge(rule=TWICE, subject="x", instead=(TWO,))]), {"who": "me"})

    assert len(made) == 2
    assert made[0] == Charge(rule=TWICE, subject="me", near=2, place="at me")
    assert made[1].instead == (made[0],)
    assert made[0:2] == list(made)
    assert made.item(3) == made[0]
    assert Charges.of(made) is made


def test_a_complete_subject_is_taken_as_it_is() -> None:
    """Names of staff are whatever somebody typed."""
    made = Charges.of([Charge(rule=TWICE, subject="{who}\n{0}")])

    assert list(made.keys) == ["authsvc:limit:twice:60:{who}\n{0}"]
    assert made.item(1).subject == "{who}\n{0}"


def test_a_value_is_no_template() -> None:
    assert list(of("{far}").keys) == ["authsvc:limit:twice:60:{far}"]


# Charged --------------------------------------------------------------------------------------------


@pytest.mark.stores
def test_each_request_is_charged_for_its_own_subject() -> None:
    assert not limiter.charge(of("a")).near
    assert [item.place for item in limiter.charge(of("a")).near] == ["at a"]
    with pytest.raises(RateLimited) as refused:
        limiter.charge(of("a"))
    assert refused.value.rule == "twice"
    limiter.charge(of("b"))


@pytest.mark.stores
def test_a_template_counts_with_the_same_charges_made_one_by_one() -> None:
    limiter.charge(of("a"))
    limiter.charge([Charge(rule=TWICE, subject="a")])

    with pytest.raises(RateLimited):
        limiter.charge(of("a"))


@pytest.fixture
def store() -> "redis.Redis":
    client = redis_client()
    assert client, "PostgreSQL is tested with Redis; without it every version is read, and none is believed"
    return client


@pytest.mark.stores
@pytest.mark.postgres
@pytest.mark.django_db
def test_a_store_without_the_script_is_given_it(store: "redis.Redis") -> None:
    """Started anew, or the other one of two."""
    store.script_flush()

    limiter.charge(of("a"))
    limiter.charge(of("a"))
    with pytest.raises(RateLimited):
        limiter.charge(of("a"))


@pytest.mark.stores
@pytest.mark.postgres
@pytest.mark.django_db
class TestBelieving:
    """A version that was heard before and not compared yet."""

    @pytest.fixture(autouse=True)
    def _heard(self, store: "redis.Redis") -> None:
        store.set(VERSION_KEY, 7)
        config_version.current()

    def test_nothing_is_charged_under_another_version(self, store: "redis.Redis") -> None:
        seen = []

        def decide() -> None:
            seen.append(config_version.current())
            limiter.charge(of("a"), once="form", candidate=uuid.uuid4())

        store.set(VERSION_KEY, 8)
        config_version.believing(decide)

        assert seen == [7, 8]
        assert store.get(TWO.key.format(who="a")) == b"1", "charged once, by the second attempt"

    def test_a_form_is_not_remembered_by_the_first_attempt(self, store: "redis.Redis") -> None:
        own = uuid.uuid4()
        firsts: list[uuid.UUID | None] = []

        def decide() -> None:
            firsts.append(limiter.charge([], once="form", candidate=own).first)

        store.set(VERSION_KEY, 8)
        config_version.believing(decide)

        assert firsts == [None]
        assert limiter.charge([], once="form", candidate=uuid.uuid4()).first == own

    def test_one_round_trip_is_enough(self, store: "redis.Redis") -> None:
        with counted_round_trips() as trips:
            charged = config_version.believing(lambda: limiter.charge([]))

        assert trips == [1]
        assert charged.version == 7

    def test_a_refusal_compares_too(self, store: "redis.Redis") -> None:
        """What is full under the old rules may have room under the new ones."""
        for _ in range(2):
            limiter.charge(of("a"))
        versions = []

        def decide() -> None:
            versions.append(config_version.current())
            limiter.charge(of("a"))

        store.set(VERSION_KEY, 8)
        with pytest.raises(RateLimited):
            config_version.believing(decide)
        assert versions == [7, 8]

    def test_a_store_that_forgot_the_version_charges_nothing_before_it_knows(
        self, store: "redis.Redis"
    ) -> None:
        ConfigVersion.objects.update_or_create(id=1, defaults={"value": 9})
        store.delete(VERSION_KEY)
        versions = []

        def decide() -> None:
            versions.append(config_version.current())
            limiter.charge(of("a"))

        config_version.believing(decide)
        assert versions == [7, 9]
        assert store.get(TWO.key.format(who="a")) == b"1"

    def test_while_the_store_is_away_the_row_decides(
        self, store: "redis.Redis", settings: LazySettings
    ) -> None:
        ConfigVersion.objects.update_or_create(id=1, defaults={"value": 9})
        versions = []

        def decide() -> None:
            versions.append(config_version.current())
            limiter.charge(of("a"))

        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        with pytest.raises(Unavailable):
            config_version.believing(decide)
        assert versions == [7, 9]

    def test_others_are_charged_under_any_version(self, store: "redis.Redis") -> None:
        """A page, which has read its version, goes on with the newer one."""
        with config_version.pinned():
            assert config_version.current() == 7
            store.set(VERSION_KEY, 8)
            assert limiter.charge(of("a")).version == 8

    def test_what_a_charge_reads_along_is_heard(self, store: "redis.Redis") -> None:
        store.set(VERSION_KEY, 8)
        limiter.charge(of("a"))

        with config_version.pinned():
            config_version.believe(seconds=60)
            assert config_version.current() == 8

    def test_a_throttle_does_not_mind(self, store: "redis.Redis") -> None:
        from abuse import throttle

        store.set(VERSION_KEY, 8)
        config_version.believing(lambda: throttle.charge(("push.address", "a")))

    def test_what_is_never_compared_raises_nothing(self, store: "redis.Redis") -> None:
        store.set(VERSION_KEY, 8)
        with config_version.pinned():
            config_version.believe(seconds=60)
            try:
                limiter.charge(of("a"))
            except Outdated:
                pytest.fail("only `believing` may see it")
