"""What a request is charged: which side's counts, how much room is kept, and for whom. W2 to W7."""

import uuid
from collections.abc import Sequence

import pytest
from django.conf import LazySettings

from abuse import charges, limiter
from abuse.charges import Relief, Sending
from abuse.errors import RateLimited
from abuse.limiter import Charge
from abuse.rules import LIMITS, Who
from tests.abuse.counting import times

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("either_store")]

PROJECT = uuid.UUID("01890000-0000-7000-8000-000000000001")
OTHER = uuid.UUID("01890000-0000-7000-8000-000000000002")
PHONE = "+85251234567"
KNOWN = "b" * 24


def wish(**fields: object) -> Sending:
    values: dict[str, object] = {
        "project_id": PROJECT, "phone": PHONE, "country": "HK", "address": "192.0.2.1", "browser": ""
    }  # fmt: skip
    return Sending(**(values | fields))  # type: ignore[arg-type] # as given


def start(*, may_fall_back: bool = False, relief: Relief | None = None, **fields: object) -> Sequence[Charge]:
    return charges.start(
        wish(**fields), resend_after_seconds=30, may_fall_back=may_fall_back, relief=relief or Relief()
    )


def names(items: Sequence[Charge]) -> set[str]:
    return {item.rule.name for item in items} | {other.rule.name for item in items for other in item.instead}


def charge_of(items: Sequence[Charge], name: str) -> Charge:
    (item,) = (item for item in items if item.rule.name == name)
    return item


def test_no_request_is_charged_a_rule_of_the_other_side() -> None:
    """W2, W3."""
    for browser, side in (("", Who.STRANGERS), (KNOWN, Who.KNOWN)):
        for items in (
            start(browser=browser, relief=Relief(has_account=True)),
            charges.resend(wish(browser=browser), resend_after_seconds=30),
            charges.switch(wish(browser=browser)),
            charges.fallback(wish(browser=browser)),
        ):
            sides = {LIMITS[name].who for name in names(items) if name in LIMITS}
            assert sides == {side, Who.EVERYBODY}


def test_every_rule_of_messages_is_charged_by_somebody() -> None:
    used = names(start(relief=Relief(has_account=True))) | names(start(browser=KNOWN))

    assert {name for name in LIMITS if name.startswith("send.")} <= used


def test_a_typed_code_is_charged_to_its_address_alone() -> None:
    """W1."""
    assert [(item.rule.name, item.subject) for item in charges.guess(address="192.0.2.1")] == [
        ("guess.address", "192.0.2.1/32")
    ]


def test_what_strangers_fill_is_not_what_the_owner_counts_under() -> None:
    """W3: not one key in common but the project's."""
    keys = [{item.key for item in start(browser=browser)} for browser in ("", KNOWN)]

    assert {key.split(":")[2] for key in keys[0] & keys[1]} == {"send.project"}


@pytest.mark.parametrize("name", ["send.number.hour", "send.number.day", "send.number.spare"])
def test_a_numbers_ceilings_count_in_all_projects(name: str) -> None:
    """W7."""
    one, other = (start(project_id=project_id) for project_id in (PROJECT, OTHER))
    subjects = [
        {part.subject for item in items for part in (item, *item.instead) if part.rule.name == name}
        for items in (one, other)
    ]

    assert subjects[0] == subjects[1]
    assert PHONE[1:] not in str(subjects)


@pytest.mark.parametrize(
    "name", ["send.number.wait1", "send.range.hour", "send.country", "send.project", "guess.number.wait"]
)
def test_the_rest_counts_in_each_project(name: str) -> None:
    one, other = (start(project_id=project_id) for project_id in (PROJECT, OTHER))

    assert charge_of(one, name).subject != charge_of(other, name).subject


@pytest.mark.parametrize(
    ("name", "alone", "with_fallback"),
    [
        ("send.number.hour", 1, 2),
        ("send.number.day", 1, 2),
        ("send.address", 1, 11),
        ("send.block", 1, 51),
        ("send.range.hour", 1, 7),
        ("send.range.day", 1, 17),
        ("send.country", 1, 1),
        ("send.project", 4001, 4001),
    ],
)
def test_how_much_room_a_strangers_start_needs(name: str, alone: int, with_fallback: int) -> None:
    """W4, W6."""
    assert charge_of(start(), name).need == alone
    assert charge_of(start(may_fall_back=True), name).need == with_fallback


@pytest.mark.parametrize(
    ("name", "alone", "with_fallback"),
    [
        ("send.known.hour", 1, 2),
        ("send.known.day", 1, 2),
        ("send.known.number", 1, 2),
        ("send.known.address", 1, 11),
        ("send.project", 1, 1),
    ],
)
def test_and_a_known_browsers(name: str, alone: int, with_fallback: int) -> None:
    assert charge_of(start(browser=KNOWN), name).need == alone
    assert charge_of(start(browser=KNOWN, may_fall_back=True), name).need == with_fallback


@pytest.mark.parametrize(("seconds", "sends"), [(30, [30, 90, 210]), (60, [60, 180, 420])])
@pytest.mark.parametrize("browser", ["", KNOWN])
def test_waits_between_messages(browser: str, seconds: int, sends: list[int]) -> None:
    """C3: one in 30 s, two in 90, three in 210."""
    items = charges.resend(wish(browser=browser), resend_after_seconds=seconds)
    waits = [item.rule for item in items if ".wait" in item.rule.name]

    assert [(rule.amount, rule.period_seconds) for rule in waits] == list(enumerate(sends, 1))
    assert not any(".wait" in item.rule.name for item in charges.switch(wish(browser=browser)))


def test_only_what_begins_waits_for_guesses() -> None:
    """W1: one's own challenge goes on."""
    limiter.close(charges.guess_wait(project_id=PROJECT, phone=PHONE), seconds=60)

    with pytest.raises(RateLimited) as refused:
        limiter.charge(start())
    assert refused.value.wait_seconds == 60
    limiter.charge(charges.switch(wish()))
    limiter.charge(charges.resend(wish(), resend_after_seconds=30))
    limiter.charge(charges.fallback(wish()))
    limiter.charge(start(browser=KNOWN))


@pytest.mark.parametrize(("first", "second", "wait"), [(60, 900, 900), (900, 60, 900)])
def test_a_wait_is_lengthened_and_never_shortened(first: int, second: int, wait: int) -> None:
    for seconds in (first, second):
        limiter.close(charges.guess_wait(project_id=PROJECT, phone=PHONE), seconds=seconds)

    with pytest.raises(RateLimited) as refused:
        limiter.charge(start())

    assert refused.value.wait_seconds == wait


@pytest.mark.parametrize(
    ("relief", "need"),
    [(Relief(), 4001), (Relief(has_account=True), 1), (Relief(begun=True), 1), (Relief(logins_hour=9), 4001)],
)
def test_a_fifth_of_the_day_is_kept(relief: Relief, need: int) -> None:
    """W6."""
    assert charge_of(start(relief=relief), "send.project").need == need


@pytest.mark.parametrize(
    ("logins", "hour", "day"), [((0, 0), 40, 100), ((1, 3), 42, 106), ((50, 200), 140, 500)]
)
def test_a_range_that_people_log_in_from_has_more_room(logins: tuple[int, int], hour: int, day: int) -> None:
    """W5."""
    items = start(relief=Relief(logins_hour=logins[0], logins_day=logins[1]))

    assert charge_of(items, "send.range.hour").rule.amount == hour
    assert charge_of(items, "send.range.day").rule.amount == day
    assert charge_of(items, "send.range.hour").near == 32


def test_numbers_with_an_account_have_some_room_in_a_full_range(settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {"send.range.hour": "3/1h", "send.range.accounts": "2/1h"}
    passed = [times(start(phone=f"+8525123456{nth}", address=f"10.0.{nth}.1"), 1) for nth in range(4)]
    with_account = [
        times(start(phone=f"+8525123457{nth}", address=f"10.1.{nth}.1", relief=Relief(has_account=True)), 1)
        for nth in range(4)
    ]

    assert (passed, with_account) == ([1, 1, 1, 0], [1, 1, 0, 0])


def test_without_an_address_there_is_nothing_of_an_address() -> None:
    """An operator's test message."""
    for browser in ("", KNOWN):
        items = start(address="", browser=browser)
        assert not any(
            part in name for name in names(items) for part in ("address", "block", "spare", "newcomer")
        )


def test_without_relief_no_login_counts_and_a_resend_keeps_no_room() -> None:
    items = charges.resend(wish(), resend_after_seconds=30)

    assert charge_of(items, "send.range.day").rule.amount == 100
    assert charge_of(items, "send.range.hour").rule.amount == 40
    assert charge_of(items, "send.number.hour").need == 1
