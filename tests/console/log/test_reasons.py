"""Each reason, cause and end has a sentence."""

import pytest

from channels.report_counts import REASON as REPORTS_MISSING
from channels.types import FailureReason
from console.reasons import CAUSES, ENDS, REASONS, sentence
from otp.types import Cause, EndReason


def test_each_value_has_a_sentence() -> None:
    assert set(REASONS) == {*FailureReason, REPORTS_MISSING}
    assert set(CAUSES) == set(Cause)
    assert set(ENDS) == set(EndReason)


@pytest.mark.parametrize("texts", [REASONS, CAUSES, ENDS])
def test_no_two_are_the_same(texts: dict[str, object]) -> None:
    lines = [str(text) for text in texts.values()]

    assert len(set(lines)) == len(lines)
    assert all(len(line) > 10 for line in lines)


@pytest.mark.parametrize(
    ("reason", "code", "text"),
    [
        ("payment", "131042", "The provider cannot charge the account. payment (131042)"),
        ("limit", "", "A limit of this service was reached. limit"),
        ("", "131042", "131042"),
        ("", "", ""),
        ("of_a_later_version", "7", "of_a_later_version (7)"),
    ],
)
def test_the_sentence_ends_with_the_word_and_the_code(reason: str, code: str, text: str) -> None:
    assert sentence(reason, code) == text
