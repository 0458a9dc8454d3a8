"""What a request is charged: which rules of `abuse.rules` decide over it, and which counts it adds to."""

import uuid
from dataclasses import dataclass, field

from abuse import rules as limits
from abuse.limiter import Charge, Rule

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


@dataclass(frozen=True, kw_only=True)
class Relief:
    """What lets a stranger pass where a shared ceiling is reached: an account of the number; logins of its range in the
    last hour and day, because a range that people log in from is not being pumped; or a fallback, for which the start
    kept room (`begun`)."""

    has_account: bool = False
    logins_hour: int = 0
    logins_day: int = 0
    begun: bool = False


_NONE = Relief()

type _Rules = dict[str, Rule]


def start(
    sending: Sending, *, resend_after_seconds: int, may_fall_back: bool, relief: Relief = _NONE
) -> list[Charge]:
    """For a new challenge. Room is kept for its fallback, so that a code once begun also arrives."""
    charges = resend(
        sending, resend_after_seconds=resend_after_seconds, may_fall_back=may_fall_back, relief=relief
    )
    if not sending.browser:
        charges.append(guess_wait(project_id=sending.project_id, phone=sending.phone))
    return charges


def resend(
    sending: Sending, *, resend_after_seconds: int, may_fall_back: bool = False, relief: Relief = _NONE
) -> list[Charge]:
    """For one more message over the channel in use."""
    side = "send.known.wait" if sending.browser else "send.number.wait"
    number = sending.browser or limits.phone_key(project_id=sending.project_id, phone=sending.phone)
    waits = [
        Charge(
            rule=Rule(name=f"{side}{count}", amount=count, period_seconds=resend_after_seconds * factor),
            subject=number,
        )
        for count, factor in _WAITS
    ]
    return waits + _message(sending, may_fall_back=may_fall_back, relief=relief)


def switch(sending: Sending, *, relief: Relief = _NONE) -> list[Charge]:
    """For the first message over another channel that the user chose. No waiting, but counted."""
    return _message(sending, may_fall_back=False, relief=relief)


def fallback(sending: Sending) -> list[Charge]:
    """For the automatic fallback, which counts for the requester of the challenge."""
    return _message(sending, may_fall_back=False, relief=Relief(begun=True))


def test_number(*, project_id: uuid.UUID, address: str) -> list[Charge]:
    """For the start of one: nothing is sent, but a row is written."""
    rules = limits.rules()
    charges = [Charge(rule=rules["test.project"], subject=project_id.hex)]
    if address:
        charges.append(Charge(rule=rules["test.address"], subject=limits.address_subjects(address)[0]))
    return charges


def guess(*, address: str) -> list[Charge]:
    """For a typed code, right or wrong: the address only. Wrong guesses for a number are counted where they
    are judged (otp.store.verify), and decide over what strangers may begin."""
    return [Charge(rule=limits.rules()["guess.address"], subject=limits.address_subjects(address)[0])]


def guess_wait(*, project_id: uuid.UUID, phone: str) -> Charge:
    """What strangers wait for after wrong guesses."""
    return Charge(
        rule=limits.GUESS_WAIT, subject=limits.phone_key(project_id=project_id, phone=phone), cost=0
    )


def _message(sending: Sending, *, may_fall_back: bool, relief: Relief) -> list[Charge]:
    rules, number = limits.rules(), limits.number_key(sending.phone)
    need = 2 if may_fall_back else 1
    near, far = limits.address_subjects(sending.address) if sending.address else ("", "")
    if sending.browser:
        return _of_known(sending, rules, number=number, near=near, need=need)
    return [
        *_of_number(rules, number=number, far=far, need=need),
        *(_of_address(rules, near=near, far=far, need=need) if near else ()),
        *_of_range(sending, rules, need=need, relief=relief),
        *(_of_country(sending, rules["send.country"], relief=relief) if sending.country else ()),
        _of_project(sending, rules["send.project"], kept=not (relief.has_account or relief.begun)),
    ]


def _of_known(sending: Sending, rules: _Rules, *, number: str, near: str, need: int) -> list[Charge]:
    """A browser that logged in with the number before: counters that only such browsers fill, and the project's day."""
    charges = [
        Charge(rule=rules["send.known.hour"], subject=sending.browser, need=need),
        Charge(rule=rules["send.known.day"], subject=sending.browser, need=need),
        Charge(rule=rules["send.known.number"], subject=number, need=need),
        _of_project(sending, rules["send.project"], kept=False),
    ]
    if near:
        rule = rules["send.known.address"]
        charges.append(Charge(rule=rule, subject=near, need=_with_room(rule, need)))
    return charges


def _of_number(rules: _Rules, *, number: str, far: str, need: int) -> list[Charge]:
    """Using up a number's day does not block its owner: an address block that is new to the number has a spare."""
    hour = Charge(rule=rules["send.number.hour"], subject=number, need=need)
    day = rules["send.number.day"]
    if not far:
        return [hour, Charge(rule=day, subject=number, need=need)]
    newcomer, subject = rules["send.number.newcomer"], f"{number}:{far}"
    spare = (
        Charge(rule=rules["send.number.spare"], subject=number, need=need),
        Charge(rule=newcomer, subject=subject, need=need, cost=0),
    )
    return [
        hour,
        Charge(rule=day, subject=number, need=need, instead=spare),
        Charge(rule=newcomer, subject=subject, need=0),
    ]


def _of_address(rules: _Rules, *, near: str, far: str, need: int) -> list[Charge]:
    return [
        Charge(rule=rule, subject=subject, need=_with_room(rule, need))
        for rule, subject in ((rules["send.address"], near), (rules["send.block"], far))
    ]


def _of_range(sending: Sending, rules: _Rules, *, need: int, relief: Relief) -> list[Charge]:
    """For each login from the range there is room for two more messages, so a healthy range reaches no ceiling."""
    place = limits.range_of(sending.phone)
    subject = f"{sending.project_id.hex}:{place}"
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
                need=0 if relief.begun else _with_room(rule, need),
                instead=(
                    (Charge(rule=rules["send.range.accounts"], subject=subject, cost=cost),)
                    if relief.has_account
                    else ()
                ),
                near=_near(rule),
                place=place,
            )
        )
    return charges


def _of_country(sending: Sending, rule: Rule, *, relief: Relief) -> list[Charge]:
    return [
        Charge(
            rule=rule,
            subject=f"{sending.project_id.hex}:{sending.country}",
            need=0 if relief.has_account or relief.begun else 1,
            near=_near(rule),
            place=sending.country,
        )
    ]


def _of_project(sending: Sending, rule: Rule, *, kept: bool) -> Charge:
    """`kept`: a share of the day is not for this request."""
    need = 1 + rule.amount // limits.KEPT_PART if kept else 1
    return Charge(rule=rule, subject=sending.project_id.hex, need=need, near=_near(rule))


def _with_room(rule: Rule, need: int) -> int:
    """What must be free when room is kept for fallbacks, which a `need` of two says."""
    return 1 + rule.amount // limits.FALLBACK_PART if need > 1 else 1


def _raised(rule: Rule, more: int) -> Rule:
    if not more:
        return rule
    return Rule(name=rule.name, amount=rule.amount + more, period_seconds=rule.period_seconds)


def _near(rule: Rule) -> int:
    return -(-rule.amount * limits.NEAR_PERCENT // 100)
