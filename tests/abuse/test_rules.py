"""Rules as operators write them, and the subjects that they count: what holds for every value."""

import ipaddress
import uuid
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from abuse import charges, throttle
from abuse import rules as limits
from abuse.charges import Relief, Sending
from abuse.limiter import Charge, Rule
from abuse.rules import LIMITS, Who
from core.addresses import network_of

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
PROJECT = uuid.UUID("01890000-0000-7000-8000-000000000001")
SHARES = {name for name, limit in LIMITS.items() if "%" in limit.default}


# As they are written -------------------------------------------------------------------------------


@given(amount=st.integers(0, 10**9), count=st.integers(1, 10**6), unit=st.sampled_from("smhd"))
def test_any_amount_in_any_period_is_read_as_it_is_written(amount: int, count: int, unit: str) -> None:
    rule = limits.parse_rule("send.address", f"{amount}/{count}{unit}")

    assert rule == Rule(name="send.address", amount=amount, period_seconds=count * SECONDS[unit])


def read(text: str) -> Rule | str:
    """What it is read as, or the line that stops the start."""
    try:
        return limits.parse_rule("send.address", text)
    except ImproperlyConfigured as error:
        return str(error)


@given(
    text=st.one_of(st.text(max_size=12), st.from_regex(r"[\d.%-]{0,4}/?[\d²١-]{0,3}[smhdw]?", fullmatch=True))
)
def test_anything_else_is_one_line_that_names_the_rule(text: str) -> None:
    """No text stops the start with a traceback, and none is half understood."""
    rule = read(text)
    if isinstance(rule, str):
        assert rule.startswith("AUTHSVC_LIMITS: send.address ")
        return
    amount, period = text.split("/")
    assert text.isascii()
    assert (rule.amount, rule.period_seconds) == (int(amount), int(period[:-1]) * SECONDS[period[-1]])


@pytest.mark.parametrize(
    "text", ["5/²h", "5/١h", "٥/1h", "5/+1h", "5/ 1h", "5 /1h", "5/1H", "5/1", "5//1h", "%/1h", ".5%/1h"]
)
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^AUTHSVC_LIMITS: send\.country must look like 5/1h$"):
        limits.parse_rule("send.country", text, whole=100)


@given(permille=st.integers(0, 3000), whole=st.integers(1, 10**7), least=st.integers(0, 1000))
def test_a_share_is_rounded_down_and_never_below_its_floor(permille: int, whole: int, least: int) -> None:
    text = f"{permille // 10}.{permille % 10}%/1h"

    amount = limits.parse_rule("send.range.hour", text, whole=whole, least=least).amount

    assert amount == max(permille * whole // 1000, least)


@given(project=st.integers(0, 10**6))
def test_no_share_is_more_than_the_project_has(project: int) -> None:
    rules = limits._rules((("send.project", f"{project}/1d"),))

    assert all(rules[name].amount <= project for name in SHARES)


@pytest.mark.parametrize("name", sorted({*LIMITS, *throttle.CEILINGS}))
def test_every_limit_can_be_replaced_and_no_other_follows(name: str, settings: LazySettings) -> None:
    before = dict(limits.rules())
    settings.AUTHSVC_LIMITS = {name: "7/2m"}

    after = limits.rules()

    assert after[name] == Rule(name=name, amount=7, period_seconds=120)
    followers = SHARES if name == "send.project" else set()
    assert {other for other in before if after[other] != before[other]} <= followers | {name}
    if name in throttle.CEILINGS:
        assert throttle.ceiling(name) == throttle.Ceiling(amount=7, seconds=120)


@pytest.mark.parametrize("name", sorted(set(LIMITS) - SHARES - {"send.project"} | set(throttle.CEILINGS)))
def test_what_is_no_part_of_the_projects_day_is_no_share(name: str, settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {name: "1%/1h"}

    with pytest.raises(ImproperlyConfigured, match=rf"^AUTHSVC_LIMITS: {name} cannot be a share$"):
        limits.rules()


def test_an_unknown_name_is_answered_with_those_that_there_are(settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {"send.nothing": "1/1h"}

    with pytest.raises(ImproperlyConfigured) as caught:
        limits.rules()
    known = ", ".join((*LIMITS, *throttle.CEILINGS))
    assert str(caught.value) == f"AUTHSVC_LIMITS: unknown send.nothing; known: {known}"


# Whom they count -----------------------------------------------------------------------------------


@given(address=st.ip_addresses())
def test_an_address_lies_in_its_own_block(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    near, far = map(ipaddress.ip_network, limits.address_subjects(str(address)))

    if not (address.version == 6 and address.ipv4_mapped):
        assert address in near
    assert near.subnet_of(far)  # type: ignore[arg-type] # of one version
    assert (near.prefixlen, far.prefixlen) == ((32, 24) if near.version == 4 else (64, 48))
    assert network_of(str(address)) == str(near)


@given(address=st.ip_addresses(v=4))
def test_an_ipv4_client_is_the_same_over_ipv6(address: ipaddress.IPv4Address) -> None:
    assert limits.address_subjects(f"::ffff:{address}") == limits.address_subjects(str(address))


@given(network=st.integers(0, 2**64 - 1), one=st.integers(0, 2**64 - 1), other=st.integers(0, 2**64 - 1))
def test_one_customers_ipv6_addresses_are_one_subject(network: int, one: int, other: int) -> None:
    """C5."""
    first, second = (str(ipaddress.IPv6Address(network << 64 | host)) for host in (one, other))
    if "ffff:" not in first:  # IPv4 in IPv6 is told apart by its number
        assert limits.address_subjects(first) == limits.address_subjects(second)


@pytest.mark.parametrize(
    "text", ["", "unknown", "203.0.113.7:80", "203.0.113", "[::1]", "1.2.3.4/32", "héllo", "\0"]
)
def test_what_is_no_address_counts_together(text: str) -> None:
    """An unreadable peer must not be free of limits."""
    assert limits.address_subjects(text) == ("unknown", "unknown")
    assert network_of(text) == "unknown"


@given(phone=st.from_regex(r"\+[1-9]\d{6,14}", fullmatch=True), other=st.uuids())
def test_keys_stand_for_numbers_and_do_not_show_them(phone: str, other: uuid.UUID) -> None:
    here, there = (limits.phone_key(project_id=project_id, phone=phone) for project_id in (PROJECT, other))

    assert here != there or other == PROJECT
    assert limits.number_key(phone) not in (here, there)
    assert all(len(key) == 24 and phone[1:] not in key for key in (here, limits.number_key(phone)))


def test_another_secret_makes_other_keys(settings: LazySettings) -> None:
    keys = limits.number_key("+85251234567"), limits.phone_key(project_id=PROJECT, phone="+85251234567")
    settings.SECRET_KEY = "another-" * 6

    assert limits.number_key("+85251234567") not in keys
    assert limits.phone_key(project_id=PROJECT, phone="+85251234567") not in keys


@pytest.mark.parametrize("length", [40, 64, 65, 67, 200])
def test_a_secret_of_any_length_makes_keys_of_forms(length: int, settings: LazySettings) -> None:
    """The hash takes a key of 64 bytes at most, and `manage.py keys` prints one of 67."""
    settings.SECRET_KEY = "x" * length
    key = limits.form_key(form_token="form", project_id=PROJECT, phone="+85251234567")

    settings.SECRET_KEY = "y" + "x" * (length - 1)
    assert limits.form_key(form_token="form", project_id=PROJECT, phone="+85251234567") != key


# What a request is charged -------------------------------------------------------------------------

addresses = st.one_of(st.just(""), st.ip_addresses().map(str))
sendings = st.builds(
    Sending,
    project_id=st.just(PROJECT),
    phone=st.from_regex(r"\+852[569][0-9]{7}", fullmatch=True),
    country=st.sampled_from(["", "HK", "MX"]),
    address=addresses,
    browser=st.sampled_from(["", "b" * 24]),
)
reliefs = st.builds(
    Relief,
    has_account=st.booleans(),
    logins_hour=st.integers(0, 50),
    logins_day=st.integers(0, 200),
    begun=st.booleans(),
)


def flat(items: list[Charge]) -> list[Charge]:
    return [part for item in items for part in (item, *item.instead)]


def requests(sending: Sending, relief: Relief) -> dict[str, list[Charge]]:
    options: dict[str, Any] = {"resend_after_seconds": 30}
    return {
        "start": list(charges.start(sending, may_fall_back=True, relief=relief, **options)),
        "resend": list(charges.resend(sending, relief=relief, **options)),
        "switch": list(charges.switch(sending, relief=relief)),
        "fallback": list(charges.fallback(sending)),
    }


@given(sending=sendings, relief=reliefs)
def test_no_request_counts_twice_under_one_key(sending: Sending, relief: Relief) -> None:
    """A key that is counted twice would be full at half of its limit; one that is only asked may stand there, too."""
    for items in requests(sending, relief).values():
        counted = [item.key for item in items if item.cost]
        assert len(counted) == len(set(counted))


@given(sending=sendings, relief=reliefs)
def test_no_key_shows_a_number(sending: Sending, relief: Relief) -> None:
    """A range is shown, on purpose: operators are told of it."""
    for items in requests(sending, relief).values():
        assert not any(sending.phone[1:] in item.key for item in flat(items))


@given(sending=sendings, relief=reliefs)
def test_every_message_counts_for_its_project_and_one_side(sending: Sending, relief: Relief) -> None:
    """W2, W3."""
    side = Who.KNOWN if sending.browser else Who.STRANGERS
    for items in requests(sending, relief).values():
        sides = {LIMITS[item.rule.name].who for item in flat(items) if item.rule.name in LIMITS}
        assert sides == {side, Who.EVERYBODY}
        (project,) = (item for item in items if item.rule.name == "send.project")
        assert (project.subject, project.cost) == (PROJECT.hex, 1)


@given(sending=sendings, relief=reliefs)
def test_a_fallback_needs_no_more_than_the_start_kept_for_it(sending: Sending, relief: Relief) -> None:
    """W4: a login that has begun can end."""
    of_start = {item.key: item for item in requests(sending, relief)["start"]}
    for item in requests(sending, relief)["fallback"]:
        before = of_start[item.key]
        assert item.need == 0 or item.need < before.need or item.rule.name in ("send.project", "send.country")


@given(sending=sendings, relief=reliefs)
def test_a_known_browser_is_not_asked_what_others_did(sending: Sending, relief: Relief) -> None:
    """W3: nothing of what it is charged depends on the relief of unknown ones."""
    if sending.browser:
        assert requests(sending, relief) == requests(sending, Relief())
