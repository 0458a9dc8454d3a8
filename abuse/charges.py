"""What a request is charged: which rules of `abuse.rules` decide over it, and which counts it adds to."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from abuse import rules as limits
from abuse.limiter import Charge, Charges, Rule
from abuse.types import Template

# Between sends: 30, then 60, then 120 seconds for a base of 30.
_WAITS = ((1, 1), (2, 3), (3, 7))
# Rules whose ceiling is reached by many numbers together: `Relief` tells whether this one passes all the same.
SHARED = frozenset({"send.range.hour", "send.range.day", "send.country", "send.project"})


@dataclass(frozen=True, kw_only=True)
class Sending:
    """Who wants a message, to which number. `browser`: what a browser that logged in with the number before counts
    under; "" for strangers. `country`: "" where it has no ceiling of its own."""

    project_id: uuid.UUID
    phone: str = field(repr=False)
    country: str
    address: str
    browser: str


class Relief(NamedTuple):
    """What lets a stranger pass where a shared ceiling is reached: an account of the number; logins of its range in the
    last hour and day, because a range that people log in from is not being pumped; or a fallback, for which the start
    kept room (`begun`)."""

    has_account: bool = False
    logins_hour: int = 0
    logins_day: int = 0
    begun: bool = False


_NONE = Relief()

type _Rules = Mapping[str, Rule]


def start(
    sending: Sending, *, resend_after_seconds: int, may_fall_back: bool, relief: Relief = _NONE
) -> Charges:
    """For a new challenge. Room is kept for its fallback, so that a code once begun also arrives."""
    kind = _kind(sending, relief, may_fall_back=may_fall_back)
    return Charges(_start(kind, resend_after_seconds, limits.changes()), _values(sending))


def resend(
    sending: Sending, *, resend_after_seconds: int, may_fall_back: bool = False, relief: Relief = _NONE
) -> Charges:
    """For one more message over the channel in use."""
    kind = _kind(sending, relief, may_fall_back=may_fall_back)
    return Charges(_resend(kind, resend_after_seconds, limits.changes()), _values(sending))


def switch(sending: Sending, *, relief: Relief = _NONE) -> Charges:
    """For the first message over another channel that the user chose. No waiting, but counted."""
    return Charges(_switch(_kind(sending, relief), limits.changes()), _values(sending))


def fallback(sending: Sending) -> Charges:
    """For the automatic fallback, which counts for the requester of the challenge."""
    return switch(sending, relief=Relief(begun=True))


def test_number(*, project_id: uuid.UUID, address: str) -> list[Charge]:
    """For the start of one: nothing is sent, but a row is written."""
    rules = limits.rules()
    charges = [Charge(rule=rules["test.project"], subject=project_id.hex)]
    if address:
        charges.append(Charge(rule=rules["test.address"], subject=limits.address_subjects(address)[0]))
    return charges


def guess(*, address: str) -> Charges:
    """For a typed code, right or wrong: the address only. Wrong guesses for a number are counted where they
    are judged (otp.store.verify), and decide over what strangers may begin."""
    return Charges(_guess(limits.changes()), {"near": limits.address_subjects(address)[0]})


def guess_wait(*, project_id: uuid.UUID, phone: str) -> Charge:
    """What strangers wait for after wrong guesses."""
    return _guess_wait(limits.phone_key(project_id=project_id, phone=phone))


def _guess_wait(subject: str) -> Charge:
    return Charge(rule=limits.GUESS_WAIT, subject=subject, cost=0)


# Templates: what is the same for every message of a kind. Their subjects hold the names of `_values`. ---------------


class _Kind(NamedTuple):
    """What decides which rules a message is charged, and how much room they must have.

    A tuple, as `Relief`: each start looks its template up by it, and dataclasses are hashed and compared in Python.
    """

    is_known: bool
    has_address: bool
    has_country: bool
    may_fall_back: bool
    relief: Relief

    @property
    def need(self) -> int:
        return 2 if self.may_fall_back else 1


def _kind(sending: Sending, relief: Relief, *, may_fall_back: bool = False) -> _Kind:
    return _Kind(
        is_known=bool(sending.browser),
        has_address=bool(sending.address),
        has_country=bool(sending.country),
        may_fall_back=may_fall_back,
        relief=relief,
    )


def _values(sending: Sending) -> Mapping[str, str]:
    """`who`: the known browser, or the number in this project. `number`: the same number in all projects."""
    near, far = limits.address_subjects(sending.address) if sending.address else ("", "")
    return {
        "who": sending.browser or limits.phone_key(project_id=sending.project_id, phone=sending.phone),
        "number": limits.number_key(sending.phone),
        "range": limits.range_of(sending.phone),
        "country": sending.country,
        "near": near,
        "far": far,
        "project": sending.project_id.hex,
    }


# `_changes`: of AUTHSVC_LIMITS, which `limits.rules` reads. The counts of `Relief` make many kinds, hence the sizes.
@lru_cache(maxsize=256)
def _start(kind: _Kind, resend_after_seconds: int, changes: limits.Changes) -> Template:
    charges = _resend(kind, resend_after_seconds, changes).charges
    return Template(charges if kind.is_known else (*charges, _guess_wait("{who}")))


@lru_cache(maxsize=256)
def _resend(kind: _Kind, resend_after_seconds: int, changes: limits.Changes) -> Template:
    side = "send.known.wait" if kind.is_known else "send.number.wait"
    waits = [
        Charge(
            rule=Rule(name=f"{side}{count}", amount=count, period_seconds=resend_after_seconds * factor),
            subject="{who}",
        )
        for count, factor in _WAITS
    ]
    return Template([*waits, *_switch(kind, changes).charges])


@lru_cache(maxsize=256)
def _switch(kind: _Kind, changes: limits.Changes) -> Template:
    rules, relief = limits.rules(changes), kind.relief
    if kind.is_known:
        return Template(_of_known(rules, kind))
    return Template(
        [
            *_of_number(rules, kind),
            *(_of_address(rules, kind) if kind.has_address else ()),
            *_of_range(rules, kind),
            *(_of_country(rules["send.country"], relief) if kind.has_country else ()),
            _of_project(rules["send.project"], kept=not (relief.has_account or relief.begun)),
        ]
    )


@lru_cache(maxsize=8)
def _guess(changes: limits.Changes) -> Template:
    return Template([Charge(rule=limits.rules(changes)["guess.address"], subject="{near}")])


def _of_known(rules: _Rules, kind: _Kind) -> list[Charge]:
    """A browser that logged in with the number before: counters that only such browsers fill, and the project's day."""
    charges = [
        Charge(rule=rules["send.known.hour"], subject="{who}", need=kind.need),
        Charge(rule=rules["send.known.day"], subject="{who}", need=kind.need),
        Charge(rule=rules["send.known.number"], subject="{number}", need=kind.need),
        _of_project(rules["send.project"], kept=False),
    ]
    if kind.has_address:
        rule = rules["send.known.address"]
        charges.append(Charge(rule=rule, subject="{near}", need=_with_room(rule, kind)))
    return charges


def _of_number(rules: _Rules, kind: _Kind) -> list[Charge]:
    """Using up a number's day does not block its owner: an address block that is new to the number has a spare."""
    number, need = "{number}", kind.need
    hour = Charge(rule=rules["send.number.hour"], subject=number, need=need)
    day = rules["send.number.day"]
    if not kind.has_address:
        return [hour, Charge(rule=day, subject=number, need=need)]
    newcomer, subject = rules["send.number.newcomer"], "{number}:{far}"
    spare = (
        Charge(rule=rules["send.number.spare"], subject=number, need=need),
        Charge(rule=newcomer, subject=subject, need=need, cost=0),
    )
    return [
        hour,
        Charge(rule=day, subject=number, need=need, instead=spare),
        Charge(rule=newcomer, subject=subject, need=0),
    ]


def _of_address(rules: _Rules, kind: _Kind) -> list[Charge]:
    return [
        Charge(rule=rule, subject=subject, need=_with_room(rule, kind))
        for rule, subject in ((rules["send.address"], "{near}"), (rules["send.block"], "{far}"))
    ]


def _of_range(rules: _Rules, kind: _Kind) -> list[Charge]:
    """For each login from the range there is room for two more messages, so a healthy range reaches no ceiling."""
    relief, subject = kind.relief, "{project}:{range}"
    charges = []
    for name, logins, cost in (
        ("send.range.hour", relief.logins_hour, 1),
        ("send.range.day", relief.logins_day, 0),
    ):
        rule = rules[name]
        charges.append(
            Charge(
                rule=_raised(rule, 2 * logins),
                subject=subject,
                need=0 if relief.begun else _with_room(rule, kind),
                instead=(
                    (Charge(rule=rules["send.range.accounts"], subject=subject, cost=cost),)
                    if relief.has_account
                    else ()
                ),
                near=_near(rule),
                place="{range}",
            )
        )
    return charges


def _of_country(rule: Rule, relief: Relief) -> list[Charge]:
    return [
        Charge(
            rule=rule,
            subject="{project}:{country}",
            need=0 if relief.has_account or relief.begun else 1,
            near=_near(rule),
            place="{country}",
        )
    ]


def _of_project(rule: Rule, *, kept: bool) -> Charge:
    """`kept`: a share of the day is not for this request."""
    need = 1 + rule.amount // limits.KEPT_PART if kept else 1
    return Charge(rule=rule, subject="{project}", need=need, near=_near(rule))


def _with_room(rule: Rule, kind: _Kind) -> int:
    """What must be free when room is kept for fallbacks."""
    return 1 + rule.amount // limits.FALLBACK_PART if kind.may_fall_back else 1


def _raised(rule: Rule, more: int) -> Rule:
    if not more:
        return rule
    return Rule(name=rule.name, amount=rule.amount + more, period_seconds=rule.period_seconds)


def _near(rule: Rule) -> int:
    return -(-rule.amount * limits.NEAR_PERCENT // 100)
