"""Meta's error codes: every code of the reference, and what follows from it."""

import pytest

from channels.errors import MEANINGS
from channels.providers.meta.codes import REASONS, error_code
from channels.types import FailureReason

F = FailureReason

# Transcribed from Meta's "Error codes", section by section.
CODES = [
    *(0, 3, 10, 102, 104, 190, *range(200, 300), 368, 130497, 131031, 803),
    *(4, 17, 32, 341, 613, 80007, 130429, 131048, 131056, 131064),
    *(1, 2, 33, 100, 130403, 130472, 131000, 131005, 131008, 131009, 131016, 131021, 131026, 131030, 131037),
    *(
        131042,
        131045,
        131047,
        131049,
        131050,
        131051,
        131052,
        131053,
        131055,
        131057,
        131058,
        131059,
        131060,
        131062,
    ),
    *(131063, 135000, 137000),
    # Whole blocks: templates, and the registration of numbers.
    *(*range(132000, 133000), 134011, 134100, 134101, 134102),
    *range(133000, 134000),
]
# Those that the reference calls worth a retry within the budget; nothing else may be retried.
RETRIED = {1, 2, 4, 17, 32, 341, 613, 80007, 130429, 131000, 131016, 131056, 131057, 133004, 135000}
# Those that an operator or a developer has to see.
ALERTED = {
    *(
        0,
        3,
        10,
        104,
        190,
        *range(200, 300),
        368,
        131031,
        803,
        131048,
        131064,
        33,
        100,
        131005,
        131008,
        131030,
    ),
    *(131037, 131042, 131045, 131047, 131051, 131055, 131060, 131062, 132000, 132001, 132005, 132007, 132008),
    *(132012, 132015, 132016, 132018, 133000, 133010),
}


@pytest.mark.parametrize("written", [131026, "131026"])
def test_a_code_is_read_in_both_spellings(written: object) -> None:
    assert error_code({"code": written}) == 131026


@pytest.mark.parametrize("written", [None, "", "x", "-5", "１２", "9" * 40, 1.5, True, {}])
def test_what_is_no_code(written: object) -> None:
    assert error_code({"code": written}) is None


def test_the_table_is_the_reference() -> None:
    assert set(REASONS) == set(CODES)


def test_only_what_may_work_within_seconds_is_retried() -> None:
    assert {code for code, reason in REASONS.items() if MEANINGS[reason].retry} == RETRIED


def test_a_pair_rate_limit_is_about_one_recipient() -> None:
    """Its back-off is 4^X seconds: otp.policy hands over to SMS at once, and waits where there is none."""
    assert REASONS[131056] is F.PAIR_LIMITED
    assert not MEANINGS[F.PAIR_LIMITED].sender


def test_whoever_has_to_act_is_told() -> None:
    assert {code for code in ALERTED if not MEANINGS[REASONS[code]].alert} == set()


def test_a_changed_identity_is_the_only_code_that_revokes() -> None:
    assert [code for code, reason in REASONS.items() if MEANINGS[reason].revoke] == [137000]
