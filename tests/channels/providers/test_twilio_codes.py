"""Twilio's error codes: every code of the reference, and what follows from it."""

import pytest

from channels.errors import MEANINGS
from channels.providers.twilio.codes import REASONS
from channels.types import FailureReason

F = FailureReason

# Transcribed from Twilio's error dictionary, as far as it concerns one SMS.
CODES = [
    *(
        20003,
        20008,
        20404,
        20429,
        20500,
        20503,
        21211,
        21212,
        21408,
        21602,
        21603,
        21604,
        21606,
        21608,
        21219,
    ),
    *(
        21610,
        21611,
        21612,
        21614,
        21617,
        21635,
        21656,
        21703,
        21704,
        21705,
        14107,
        30001,
        30002,
        30003,
        30004,
    ),
    *(
        30005,
        30006,
        30007,
        30008,
        30017,
        30018,
        30024,
        30035,
        30022,
        30023,
        30027,
        30032,
        30034,
        30037,
        30042,
    ),
    *(30410, 30450, 30453, 30500, 11200),
]
# In an HTTP answer: not processed, or a queue that empties.
RETRIED = {20429, 20409, *range(20500, 20600), 14107, 21611, 30020, 30021, 30022, 30025, 30026, 30500}


def test_the_table_holds_the_reference() -> None:
    assert set(CODES) <= set(REASONS)


# Titles of Twilio's dictionary: codes about From, Messaging Services and registration, besides those of CODES.
SENDER_CODES = [
    *(14108, 20005, 20006, 20403, 21210, 21407),
    *(
        21601,
        21606,
        21607,
        21608,
        21609,
        21613,
        21615,
        21616,
        21631,
        21649,
        21650,
        21651,
        21657,
        21659,
        21660,
        21661,
    ),
    *(21701, 21702, 21703, 21704, 21705, 21709, 21711, 21712, 21714, 21715, 21717, 21719),
    *(
        30010,
        30018,
        30024,
        30032,
        30033,
        30034,
        30035,
        30036,
        30037,
        30040,
        30041,
        30042,
        30044,
        30790,
        30882,
    ),
]


@pytest.mark.parametrize("code", SENDER_CODES)
def test_codes_of_senders_and_their_registration_alarm_and_count_against_the_sender(code: int) -> None:
    """P5: 21660 and 30036 were `unknown`, which alarmed nobody."""
    meaning = MEANINGS[REASONS[code]]

    assert meaning.sender
    assert meaning.alert


def test_p5_the_two_codes_of_the_fault() -> None:
    assert (REASONS[21660], REASONS[30036]) == (F.MISCONFIGURED, F.HELD)


@pytest.mark.parametrize(
    "code",
    [21211, 21214, 21408, 21610, 21612, 21614, 21635, 30003, 30004, 30005, 30006, 30007, 30008, 30014, 30017],
)
def test_what_is_about_one_recipient_or_country_never_counts_against_the_sender(code: int) -> None:
    """P5: within the same blocks. Somebody else's bad number must close nobody's channel."""
    meaning = MEANINGS[REASONS[code]]

    assert not meaning.sender
    assert not meaning.unexplained


def test_only_what_may_work_within_seconds_is_retried() -> None:
    assert {code for code, reason in REASONS.items() if MEANINGS[reason].retry} == RETRIED


def test_traffic_pumping_is_a_fraud_signal_and_never_retried() -> None:
    assert {REASONS[30450], REASONS[30453]} == {F.FRAUD_BLOCKED}
    assert not MEANINGS[F.FRAUD_BLOCKED].retry
