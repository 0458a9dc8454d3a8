"""What exactly is charged, found by mutation testing: subjects, costs and room of each kind of request."""

import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from abuse import charges
from abuse import rules as limits
from abuse.charges import Relief, Sending
from abuse.limiter import Charge

PROJECT = uuid.UUID("01890000-0000-7000-8000-000000000001")
PHONE = "+85251234567"
ADDRESS = "192.0.2.1"


def sending(**fields: Any) -> Sending:
    values: dict[str, Any] = {
        "project_id": PROJECT, "phone": PHONE, "country": "HK", "address": ADDRESS, "browser": ""
    }  # fmt: skip
    return Sending(**(values | fields))


def named(items: Sequence[Charge], name: str) -> Charge:
    (item,) = (item for item in items if item.rule.name == name)
    return item


def needs(items: Sequence[Charge]) -> dict[str, int]:
    return {item.rule.name: item.need for item in items}


def test_one_message_needs_room_for_one_unless_a_fallback_may_follow() -> None:
    resent = needs(charges.resend(sending(), resend_after_seconds=30))
    switched = needs(charges.switch(sending()))

    assert {name: need for name, need in resent.items() if ".wait" not in name} == switched
    assert switched["send.number.hour"] == switched["send.address"] == switched["send.range.hour"] == 1
    assert (
        needs(charges.resend(sending(), resend_after_seconds=30, may_fall_back=True))["send.number.hour"] == 2
    )


def test_a_fallback_counts_for_a_login_that_has_begun() -> None:
    fallback, switched = needs(charges.fallback(sending())), needs(charges.switch(sending()))

    assert fallback["send.number.hour"] == 1
    assert (fallback["send.range.hour"], fallback["send.country"], fallback["send.project"]) == (0, 0, 1)
    assert switched["send.project"] > 1


@pytest.mark.parametrize(("browser", "side"), [("", "send.number.wait"), ("b" * 24, "send.known.wait")])
def test_the_waits_are_those_of_the_number_or_of_its_browser(browser: str, side: str) -> None:
    items = charges.resend(sending(browser=browser), resend_after_seconds=30)

    waits = [item.rule for item in items if ".wait" in item.rule.name]
    assert {rule.name for rule in waits} == {f"{side}{rule.amount}" for rule in waits}
    assert min(rule.period_seconds for rule in waits) == 30


def test_a_test_number_is_counted_for_its_project_and_address() -> None:
    items = charges.test_number(project_id=PROJECT, address="2001:db8::1")

    assert [item.rule.name for item in items] == ["test.project", "test.address"]
    assert items[0].subject == PROJECT.hex
    assert items[1].subject == limits.address_subjects("2001:db8::1")[0]
    assert [item.rule.name for item in charges.test_number(project_id=PROJECT, address="")] == [
        "test.project"
    ]


def test_a_wait_after_wrong_guesses_is_asked_about_and_not_counted() -> None:
    assert charges.guess_wait(project_id=PROJECT, phone=PHONE).cost == 0


def test_an_address_block_that_is_new_to_a_number_has_a_count_of_its_own() -> None:
    items = charges.switch(sending())
    far = limits.address_subjects(ADDRESS)[1]

    newcomer = named(items, "send.number.newcomer")
    spare, asked = named(items, "send.number.day").instead
    assert newcomer.subject == asked.subject == f"{limits.number_key(PHONE)}:{far}"
    assert (newcomer.need, newcomer.cost, asked.need, asked.cost) == (0, 1, 1, 0)
    assert (spare.rule.name, spare.subject, spare.cost) == ("send.number.spare", limits.number_key(PHONE), 1)


def test_a_range_is_counted_in_each_project() -> None:
    items = charges.switch(sending(), relief=Relief(has_account=True))
    subject = f"{PROJECT.hex}:{limits.range_of(PHONE)}"

    for name, cost in (("send.range.hour", 1), ("send.range.day", 0)):
        item = named(items, name)
        (accounts,) = item.instead
        assert item.subject == accounts.subject == subject
        assert (item.place, accounts.cost) == (limits.range_of(PHONE), cost)


@pytest.mark.parametrize(
    ("relief", "need"),
    [(Relief(), 1), (Relief(has_account=True), 0), (Relief(begun=True), 0), (Relief(logins_day=5), 1)],
)
def test_a_country_has_room_for_accounts_and_for_what_has_begun(relief: Relief, need: int) -> None:
    item = named(charges.switch(sending(), relief=relief), "send.country")

    assert (item.subject, item.place, item.need) == (f"{PROJECT.hex}:HK", "HK", need)


def test_a_ceiling_is_near_at_its_percentage_rounded_up() -> None:
    rule = limits.rules()["send.country"]
    item = named(charges.switch(sending()), "send.country")

    assert (item.near - 1) * 100 < rule.amount * limits.NEAR_PERCENT <= item.near * 100
