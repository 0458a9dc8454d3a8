"""Limits: checked together, charged together, in one round trip; the same in Redis and in memory."""

import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from abuse import charges, limiter
from abuse import rules as limits
from abuse.charges import Relief, Sending
from abuse.errors import RateLimited, Unavailable
from abuse.limiter import Charge, Rule
from core.config_version import publish
from core.ids import new_id, oldest_id_at
from core.redis import redis_client

pytestmark = pytest.mark.stores

PROJECT = uuid.UUID("01890000-0000-7000-8000-000000000001")
FIVE = Rule(name="five", amount=5, period_seconds=60)
TWO = Rule(name="two", amount=2, period_seconds=3600)


@pytest.fixture(params=["configured", "memory"])
def store(request: pytest.FixtureRequest, settings: LazySettings) -> str:
    """What the run is configured with (Redis, when there is one) and the memory of one process."""
    if request.param == "memory":
        settings.REDIS_URL = ""
    return str(request.param)


def start_charges(
    *,
    phone: str = "+85251234567",
    address: str = "192.0.2.1",
    browser: str = "",
    project_id: uuid.UUID = PROJECT,
    may_fall_back: bool = False,
    relief: Relief | None = None,
) -> Sequence[Charge]:
    wish = Sending(project_id=project_id, phone=phone, country="HK", address=address, browser=browser)
    return charges.start(
        wish, resend_after_seconds=30, may_fall_back=may_fall_back, relief=relief or Relief()
    )


def fill(rule: Rule, subject: str = "a", need: int = 1) -> int:
    """Charge until refused: how many went."""
    for count in range(100):
        try:
            limiter.charge([Charge(rule=rule, subject=subject, need=need)])
        except RateLimited:
            return count
    return 100


def test_as_many_as_the_rule_allows(store: str) -> None:
    assert fill(FIVE) == 5


def test_subjects_do_not_share(store: str) -> None:
    fill(FIVE, "a")

    assert fill(FIVE, "b") == 5


def test_a_refusal_tells_the_longest_wait_rounded(store: str) -> None:
    """C14."""
    fill(FIVE)
    fill(TWO)

    with pytest.raises(RateLimited) as refused:
        limiter.charge([Charge(rule=FIVE, subject="a"), Charge(rule=TWO, subject="a")])

    assert refused.value.wait_seconds == 3600


def test_a_refusal_charges_nothing_at_all(store: str) -> None:
    fill(TWO)

    for _ in range(10):
        with pytest.raises(RateLimited):
            limiter.charge([Charge(rule=FIVE, subject="a"), Charge(rule=TWO, subject="a")])

    assert fill(FIVE) == 5


def test_room_can_be_asked_for_beyond_the_cost(store: str) -> None:
    assert fill(FIVE, need=2) == 4
    assert fill(FIVE) == 1


def test_a_need_beyond_the_whole_rule_is_the_whole_rule(store: str) -> None:
    one = Rule(name="one", amount=1, period_seconds=60)

    assert fill(one, need=2) == 1


def test_zero_allows_nothing(store: str) -> None:
    assert fill(Rule(name="none", amount=0, period_seconds=60)) == 0


def test_no_need_is_not_checked_but_counted(store: str) -> None:
    for _ in range(7):
        limiter.charge([Charge(rule=FIVE, subject="a", need=0)])

    assert fill(FIVE) == 0


def test_a_form_is_charged_once(store: str) -> None:
    """C2."""
    first, second = uuid.uuid4(), uuid.uuid4()
    one = [Charge(rule=FIVE, subject="a")]

    assert limiter.charge(one, once="form", candidate=first).first is None
    for _ in range(20):
        assert limiter.charge(one, once="form", candidate=second).first == first

    assert fill(FIVE) == 4


def test_a_form_that_was_refused_is_not_remembered(store: str) -> None:
    fill(FIVE)

    for _ in range(2):
        with pytest.raises(RateLimited):
            limiter.charge([Charge(rule=FIVE, subject="a")], once="form", candidate=uuid.uuid4())


def test_many_at_once_never_pass_the_limit(store: str) -> None:
    """C15: no read-then-write."""
    barrier = threading.Barrier(30)
    passed: list[int] = []

    def charge() -> None:
        barrier.wait()
        try:
            limiter.charge([Charge(rule=FIVE, subject="a")])
            passed.append(1)
        except RateLimited:
            pass

    threads = [threading.Thread(target=charge) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)

    assert len(passed) == 5


def test_the_store_being_away_is_no_permission(settings: LazySettings) -> None:
    """C13."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    with pytest.raises(Unavailable):
        limiter.charge([Charge(rule=FIVE, subject="a")])


def test_the_configuration_version_comes_along(settings: LazySettings) -> None:
    """Decision 13."""
    publish(4711)

    version = limiter.charge([Charge(rule=FIVE, subject="a")]).version

    assert version == (4711 if settings.REDIS_URL else None)


def test_windows_close_by_themselves(settings: LazySettings) -> None:
    """No key may stay for ever."""
    limiter.charge(start_charges(may_fall_back=True), once="f", candidate=uuid.uuid4())

    client = redis_client()
    if client is None:
        assert settings.REDIS_URL == ""
        return
    keys = [key for key in client.scan_iter("authsvc:*") if key != b"authsvc:config"]
    assert len(keys) == 13
    assert all(client.pttl(key) > 0 for key in keys)


def test_one_round_trip(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decision 9."""
    client = redis_client()
    if client is None:
        assert settings.REDIS_URL == ""
        return
    all_of_them = start_charges(may_fall_back=True)
    limiter.charge(all_of_them)
    sent: list[object] = []
    run: Callable[..., object] = client.run

    def count(*args: object) -> object:
        sent.append(args[0])
        return run(*args)

    monkeypatch.setattr(client, "run", count)
    with pytest.raises(RateLimited):
        limiter.charge(all_of_them)

    assert sent == ["EVALSHA"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.77", ("203.0.113.77/32", "203.0.113.0/24")),
        ("2001:db8:1:2:3:4:5:6", ("2001:db8:1:2::/64", "2001:db8:1::/48")),
        ("::ffff:203.0.113.77", ("203.0.113.77/32", "203.0.113.0/24")),
        ("not an address", ("unknown", "unknown")),
    ],
)
def test_address_subjects(address: str, expected: tuple[str, str]) -> None:
    """C5: one customer holds a whole IPv6 /64."""
    assert limits.address_subjects(address) == expected


def test_numbers_are_not_readable_in_the_limiters_store() -> None:
    key = limits.phone_key(project_id=PROJECT, phone="+85251234567")

    assert "51234567" not in key
    assert key != limits.phone_key(project_id=uuid.uuid4(), phone="+85251234567")
    assert key == limits.phone_key(project_id=PROJECT, phone="+85251234567")


@pytest.mark.parametrize("text", ["", "5", "5/", "/1h", "5/1w", "x/1h", "5/0h", "-5/1h", "5/1h/2", "5.5/1h"])
def test_a_wrong_rule_is_named(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"send\.address"):
        limits.parse_rule("send.address", text)


def test_rules_can_be_replaced_one_by_one(settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {"send.address": "7/2m"}

    rules = limits.rules()

    assert rules["send.address"] == Rule(name="send.address", amount=7, period_seconds=120)
    assert rules["send.number.hour"].amount == 5


def test_an_unknown_rule_is_an_error(settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {"send.adress": "7/2m"}

    with pytest.raises(ImproperlyConfigured, match=r"unknown send\.adress"):
        limits.rules()


def test_addresses_and_numbers_are_counted_apart(settings: LazySettings) -> None:
    """C5: one address with many numbers stops, many addresses with one number stop."""
    settings.AUTHSVC_LIMITS = {"send.address": "3/10m"}

    def start(nth: int, address: str) -> None:
        limiter.charge(start_charges(phone=f"+8525123000{nth}", address=address))

    for nth in range(3):
        start(nth, "192.0.2.1")
    with pytest.raises(RateLimited):
        start(4, "192.0.2.1")
    with pytest.raises(RateLimited):
        start(0, "198.51.100.1")
    start(5, "198.51.100.1")


# The form's key --------------------------------------------------------------------------------------


def form_key(token: str, phone: str = "+85251234567", project_id: uuid.UUID = PROJECT) -> bytes:
    return limits.form_key(form_token=token, project_id=project_id, phone=phone)


@pytest.mark.parametrize("token", [PROJECT.hex, str(PROJECT), "a form of theirs", "", "ü" * 64])
def test_one_form_and_number_are_one_key_and_everything_else_is_another(token: str) -> None:
    key = form_key(token)

    assert key == form_key(token)
    assert len(key) == 32
    assert key not in {
        form_key(token + "x"),
        form_key(token, phone="+85251234568"),
        form_key(token, project_id=uuid.UUID(int=2)),
    }


def test_keys_of_our_forms_are_in_the_order_of_time() -> None:
    earlier = oldest_id_at(timezone.now() - timedelta(seconds=1))

    assert form_key(earlier.hex) < form_key(new_id().hex)
