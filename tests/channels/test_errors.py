"""What each failure means: a closed table, without contradictions, and an error that tells no secret."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.errors import MEANINGS, Meaning, SendError
from channels.types import FailureReason, TemplateRefusal

F = FailureReason

# About the person who asked for a code: nobody else's message is affected, and nobody has to act.
OF_THE_RECIPIENT = {
    F.NOT_ON_CHANNEL, F.UNREACHABLE, F.BLOCKED_BY_USER, F.REFUSED, F.IDENTITY_CHANGED, F.INVALID_NUMBER,
    F.PAIR_LIMITED,
}  # fmt: skip
OF_THE_SENDER = {F.UNAVAILABLE, F.HELD, F.MISCONFIGURED, F.PAYMENT, F.ACCOUNT_BLOCKED}
OF_A_TEMPLATE = {F.TEMPLATE_MISSING, F.TEMPLATE_PAUSED, F.TEMPLATE_UNFIT}
UNEXPLAINED = {F.BAD_REQUEST, F.UNKNOWN}
OURS = {F.SKIPPED, F.LIMIT, F.NO_REPORT, F.CRASHED, F.NO_SENDER}


def with_mark(mark: str) -> set[FailureReason]:
    return {reason for reason, meaning in MEANINGS.items() if getattr(meaning, mark)}


def test_every_reason_has_a_meaning() -> None:
    assert set(MEANINGS) == set(F)


@pytest.mark.parametrize(
    ("mark", "reasons"),
    [
        ("retry", {F.RATE_LIMITED, F.PAIR_LIMITED, F.UNAVAILABLE}),
        ("sender", OF_THE_SENDER),
        ("template", OF_A_TEMPLATE),
        ("unexplained", UNEXPLAINED),
        ("revoke", {F.IDENTITY_CHANGED}),
        (
            "alert",
            {
                F.HELD,
                F.MISCONFIGURED,
                F.PAYMENT,
                F.ACCOUNT_BLOCKED,
                F.FRAUD_BLOCKED,
                F.NO_SENDER,
                F.BAD_REQUEST,
            }
            | OF_A_TEMPLATE
            | {F.CRASHED},
        ),
    ],
)
def test_the_reasons_with_each_mark(mark: str, reasons: set[FailureReason]) -> None:
    assert with_mark(mark) == reasons


@pytest.mark.parametrize("reason", F)
def test_a_failure_is_counted_in_one_place_at_most(reason: FailureReason) -> None:
    """The breaker's two counts and the notice of a template: twice counted opens a breaker too early."""
    meaning = MEANINGS[reason]

    assert [meaning.sender, meaning.template, meaning.unexplained].count(True) <= 1


@pytest.mark.parametrize("reason", sorted(OF_THE_RECIPIENT))
def test_what_one_recipient_met_says_nothing_of_the_sender(reason: FailureReason) -> None:
    meaning = MEANINGS[reason]

    assert not (meaning.sender)
    assert not (meaning.template)
    assert not (meaning.unexplained)
    assert not (meaning.alert)


@pytest.mark.parametrize("reason", sorted(with_mark("retry")))
def test_what_passes_within_seconds_wakes_nobody(reason: FailureReason) -> None:
    assert not MEANINGS[reason].alert
    assert not MEANINGS[reason].revoke


@pytest.mark.parametrize("reason", sorted(OF_THE_SENDER - {F.UNAVAILABLE} | OF_A_TEMPLATE))
def test_what_lasts_is_not_tried_again_and_somebody_hears_of_it(reason: FailureReason) -> None:
    assert MEANINGS[reason].alert
    assert not MEANINGS[reason].retry


@pytest.mark.parametrize("reason", sorted(OURS))
def test_our_own_decisions_count_against_no_sender(reason: FailureReason) -> None:
    """A skipped message is a consequence of an open breaker; counted, it would keep it open for ever."""
    assert not (MEANINGS[reason].sender)
    assert not (MEANINGS[reason].unexplained)


def test_the_groups_are_all_there_is() -> None:
    groups = OF_THE_RECIPIENT | OF_THE_SENDER | OF_A_TEMPLATE | UNEXPLAINED | OURS

    assert groups | {F.RATE_LIMITED, F.FRAUD_BLOCKED} == set(F)


def test_a_meaning_without_marks_lets_the_next_channel_take_over_and_nothing_else() -> None:
    assert Meaning() == Meaning(
        retry=False, alert=False, sender=False, template=False, unexplained=False, revoke=False
    )


# The error --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "unavailable"),
        ({"provider_code": "131000"}, "unavailable (131000)"),
        ({"detail": "ConnectError"}, "unavailable: ConnectError"),
        ({"provider_code": "http-503", "detail": "late"}, "unavailable (http-503): late"),
    ],
)
def test_an_error_reads_reason_code_and_detail(fields: dict[str, str], text: str) -> None:
    assert str(SendError(F.UNAVAILABLE, **fields)) == text  # type: ignore[arg-type] # texts only


@given(st.sampled_from(F), st.text(max_size=20))
def test_an_error_keeps_what_decides(reason: FailureReason, code: str) -> None:
    error = SendError(reason, provider_code=code)

    assert (error.reason, error.provider_code, error.refusals) == (reason, code, ())
    assert str(error).startswith(reason.value)


def test_the_refusals_of_templates_travel_with_the_error() -> None:
    refusal = TemplateRefusal(language="es_MX", reason=F.TEMPLATE_PAUSED, provider_code="132015")

    error = SendError(F.TEMPLATE_PAUSED, refusals=(refusal,))

    assert error.refusals == (refusal,)
    assert "es_MX" not in str(error)


def test_a_reason_survives_its_way_through_a_queue() -> None:
    """A task's arguments and results are texts."""
    for reason in F:
        assert F(str(reason)) is reason
        assert pickle.loads(pickle.dumps(reason)) is reason
