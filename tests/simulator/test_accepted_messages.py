"""What every provider shares: outages in front of it, unanswered sends, and what follows an accepted message."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.accounts import Accounts, WhatsAppAccount
from simulator.handsets.delivery_steps import Step, in_reverse
from simulator.handsets.handset import Channel
from simulator.handsets.messages import Message, Send
from simulator.server.faults import DROPPING_OUTAGES, Outage, outcome_of
from simulator.server.routing import Response, json_response
from simulator.server.simulator import Simulator
from tests.simulator.support import PHONE, Receiver, wait_until

SHOWN = [Step(status="sent"), Step(status="delivered", shows=True)]
LATER = [Step(status="sent"), Step(status="delivered", after_seconds=0.05, shows=True)]


@pytest.fixture
def core(receiver: Receiver) -> Iterator[Simulator]:
    """A simulator without a server."""
    simulator = Simulator(accounts=Accounts(), webhook_url=f"{receiver.url}/whatsapp/webhook")
    yield simulator
    simulator.close()


def message() -> Message:
    return Message(
        id="gw_1",
        channel=Channel.SMS,
        provider="gateway",
        to=PHONE,
        shown_from="SMS",
        text="1234",
        code="1234",
    )


def send(outcome: str = "accepted") -> Send:
    return Send(channel=Channel.SMS, provider="gateway", outcome=outcome, to=PHONE)


def outcomes(core: Simulator) -> list[str]:
    return [item.outcome for _, item in core.state.sends(channel=None, to=None, after=0)]


def test_without_an_outage_the_provider_reads_the_request(core: Simulator) -> None:
    assert core.outage_response(None, send()) is None
    assert outcomes(core) == []


@pytest.mark.parametrize(
    "outage", sorted(set(Outage) - {Outage.REFUSE, Outage.HANG, Outage.ERROR_503_HTML, Outage.NOT_JSON})
)
def test_most_outages_let_the_provider_read_the_request(core: Simulator, outage: Outage) -> None:
    assert core.outage_response(outage, send()) is None
    assert outcomes(core) == []


@pytest.mark.parametrize(
    ("outage", "answered", "status"),
    [
        (Outage.REFUSE, False, 200),
        (Outage.HANG, False, 200),
        (Outage.ERROR_503_HTML, True, 503),
        (Outage.NOT_JSON, True, 200),
    ],
)
def test_an_outage_in_front_of_the_provider_answers_for_it(
    core: Simulator, outage: Outage, answered: bool, status: int
) -> None:
    core.state.change_faults({"hang_seconds": 0.01})

    answer = core.outage_response(outage, send(outcome_of(outage)))

    assert answer is not None
    assert answer.answered is answered
    assert answer.status == status
    assert answer.content_type.startswith("text/html") is answered
    assert outcomes(core) == [outcome_of(outage)]


def test_an_outage_of_a_call_that_sends_nothing_records_nothing(core: Simulator) -> None:
    assert core.outage_response(Outage.REFUSE, None) is not None
    assert outcomes(core) == []


@pytest.mark.parametrize(
    ("outage", "outcome"),
    [
        (None, "accepted"),
        (Outage.ACCEPT_THEN_CLOSE, "accepted"),
        (Outage.REFUSE, "unanswered"),
        (Outage.HANG, "unanswered"),
        (Outage.ERROR_503_HTML, "refused"),
        (Outage.NOT_JSON, "garbled"),
        (Outage.HALF_JSON, "garbled"),
        (Outage.NO_ID, "garbled"),
        (Outage.HELD, "held"),
        (Outage.PAUSED, "paused"),
    ],
)
def test_the_outcome_of_a_send_by_outage(outage: Outage | None, outcome: str) -> None:
    assert outcome_of(outage) == outcome


def test_a_send_is_left_unanswered_for_its_time(core: Simulator) -> None:
    core.state.change_faults({"hang_seconds": 0.05})
    begun = time.monotonic()

    answer = core.leave_unanswered(send("unanswered"))

    assert time.monotonic() - begun >= 0.05
    assert not answer.answered
    assert outcomes(core) == ["unanswered"]


def test_an_accepted_message_is_shown_before_its_answer_is_out(core: Simulator) -> None:
    answer = core.accept(message(), SHOWN, response=json_response({"id": "gw_1"}, status=202))

    assert (answer.status, json.loads(answer.body)) == (202, {"id": "gw_1"})
    assert [item.id for item in core.state.shown_messages(PHONE)] == ["gw_1"]
    assert core.state.shown_messages(PHONE)[0].status == "accepted"


def test_the_steps_follow_the_answer(core: Simulator) -> None:
    answer = core.accept(message(), LATER, response=Response())
    assert core.state.shown_messages(PHONE) == []

    assert answer.after is not None
    answer.after()

    wait_until(lambda: bool(core.state.shown_messages(PHONE)))
    wait_until(lambda: core.state.shown_messages(PHONE)[0].status == "delivered")


def test_the_steps_may_precede_the_answer(core: Simulator) -> None:
    core.state.change_faults({"reports": {"before_answer": True}})

    answer = core.accept(message(), SHOWN, response=Response())

    assert answer.after is None
    assert core.state.shown_messages(PHONE)[0].status == "delivered"


def test_the_answer_may_be_late(core: Simulator) -> None:
    core.state.change_faults({"answer_seconds": 0.05})
    begun = time.monotonic()

    core.accept(message(), SHOWN, response=Response())

    assert time.monotonic() - begun >= 0.05


@pytest.mark.parametrize("outage", sorted(DROPPING_OUTAGES))
def test_some_outages_drop_the_message_after_a_success(core: Simulator, outage: Outage) -> None:
    whole = json_response({"id": "gw_1"}, status=202)

    answer = core.accept(message(), SHOWN, response=whole, outage=outage)

    assert answer.status == 202
    assert (answer.body == whole.body) is (outage is not Outage.HALF_JSON)
    assert core.state.message("gw_1") is None
    assert answer.after is None


def test_a_message_may_be_accepted_without_an_answer(core: Simulator) -> None:
    answer = core.accept(message(), SHOWN, response=Response(), outage=Outage.ACCEPT_THEN_CLOSE)

    assert not answer.answered
    assert answer.after is not None
    assert core.state.message("gw_1") is not None


def test_a_reset_drops_steps_that_are_still_to_come(core: Simulator) -> None:
    answer = core.accept(message(), LATER, response=Response())
    assert answer.after is not None
    answer.after()

    core.reset()

    threading.Event().wait(0.1)
    assert core.state.shown_messages(PHONE) == []
    assert core.state.message("gw_1") is None


def test_a_reset_restores_the_templates_of_all_accounts(core: Simulator) -> None:
    own = WhatsAppAccount(phone_number_id="2", business_account_id="3", languages=("nl",))
    core.state.accounts = core.state.accounts.with_whatsapp(own)
    core.templates.add_account(own)
    core.templates.change_status("3", "one_time_password", "nl", "DELETED")
    assert core.templates.get("3", "one_time_password", "nl") is None

    core.reset()

    template = core.templates.get("3", "one_time_password", "nl")
    assert template is not None
    assert template.status == "APPROVED"


def test_closing_ends_every_thread(receiver: Receiver) -> None:
    before = set(threading.enumerate())
    simulator = Simulator(accounts=Accounts(), webhook_url=receiver.url)
    assert len(threading.enumerate()) > len(before)

    simulator.close()

    assert set(threading.enumerate()) <= before | {threading.current_thread()}


def test_steps_in_reverse_keep_the_moments() -> None:
    steps = [
        Step(status="sent"),
        Step(status="delivered", after_seconds=1.0, shows=True),
        Step(status="failed", after_seconds=2.0, error_code=131026),
    ]

    reverse: list[Any] = in_reverse(steps)

    assert [(item.status, item.after_seconds) for item in reverse] == [
        ("failed", 0.0),
        ("delivered", 1.0),
        ("sent", 2.0),
    ]
    assert [item.error_code for item in reverse] == [131026, None, None]
    assert [item.shows for item in reverse] == [False, True, False]
