"""What the simulator remembers: bounded, in order, and safe to use from many threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from simulator.accounts import Accounts
from simulator.handsets.handset import Channel, Handset, SmsMode, WhatsAppMode
from simulator.handsets.messages import Message, Send
from simulator.server import state as state_module
from simulator.server.faults import Faults, Outage
from simulator.server.routing import BadRequest
from simulator.server.state import State
from tests.simulator.support import OTHER_PHONE, PHONE

THIRD_PHONE = "+14155550101"


@pytest.fixture
def state() -> State:
    return State(Accounts())


def message(number: int, phone: str = PHONE, channel: Channel = Channel.SMS) -> Message:
    return Message(
        id=str(number),
        channel=channel,
        provider="gateway",
        to=phone,
        shown_from="SMS",
        text="1234",
        code="1234",
    )


def send(phone: str | None = PHONE, outcome: str = "accepted", channel: Channel = Channel.SMS) -> Send:
    return Send(channel=channel, provider="gateway", outcome=outcome, to=phone)


def show(state: State, item: Message) -> Message:
    state.add_message(item)
    state.show(item)
    return item


# Bounds


def test_the_oldest_sends_are_forgotten_and_numbers_go_on(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "KEPT_SENDS", 5)
    state.reset()

    for _ in range(10):
        state.record_send(send())

    assert [n for n, _ in state.sends(channel=None, to=None, after=0)] == [6, 7, 8, 9, 10]


def test_a_handset_keeps_its_newest_messages(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "KEPT_MESSAGES_PER_HANDSET", 3)

    for number in range(10):
        show(state, message(number))

    assert [item.id for item in state.shown_messages(PHONE)] == ["7", "8", "9"]


def test_the_handsets_without_news_are_forgotten(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "KEPT_HANDSETS", 2)
    show(state, message(1, PHONE))
    show(state, message(2, OTHER_PHONE))
    show(state, message(3, PHONE))

    show(state, message(4, THIRD_PHONE))

    assert state.shown_messages(OTHER_PHONE) == []
    assert len(state.shown_messages(PHONE)) == 2
    assert len(state.handsets(10)) == 2


def test_settings_of_the_oldest_handset_are_forgotten(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "KEPT_HANDSETS", 2)
    for phone in (PHONE, OTHER_PHONE, PHONE, THIRD_PHONE):
        state.change_handset(phone, {"sms": "silent"})

    assert state.handset(OTHER_PHONE).sms is SmsMode.DELIVERED
    assert state.handset(PHONE).sms is SmsMode.SILENT


def test_the_oldest_messages_cannot_be_fetched_any_more(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "KEPT_MESSAGES", 2)
    for number in range(3):
        state.add_message(message(number))

    assert state.message("0") is None
    assert state.message("2") is not None


# Handsets


def test_an_unknown_handset_takes_everything(state: State) -> None:
    assert state.handset(PHONE) == Handset(phone=PHONE)
    assert state.handsets(10) == []


def test_a_wrong_change_keeps_the_handset_as_it_was(state: State) -> None:
    state.change_handset(PHONE, {"sms": "silent"})

    with pytest.raises(BadRequest):
        state.change_handset(PHONE, {"whatsapp": "read", "sms": "gone"})

    assert state.handset(PHONE) == Handset(phone=PHONE, sms=SmsMode.SILENT)


def test_handsets_are_listed_by_their_last_message_and_up_to_a_limit(state: State) -> None:
    state.change_handset(THIRD_PHONE, {"sms": "silent"})
    show(state, message(1, PHONE))
    show(state, message(2, OTHER_PHONE))

    assert [item.phone for item, _ in state.handsets(10)] == [OTHER_PHONE, PHONE, THIRD_PHONE]
    assert [item.phone for item, _ in state.handsets(2)] == [OTHER_PHONE, PHONE]
    assert [at is None for _, at in state.handsets(10)] == [False, False, True]


@pytest.mark.parametrize("outcome", ["accepted", "unanswered", "garbled"])
def test_the_next_number_takes_the_prepared_settings(state: State, outcome: str) -> None:
    state.change_next_handset({"whatsapp": "silent"})

    state.record_send(send(outcome=outcome))

    assert state.handset(PHONE).whatsapp is WhatsAppMode.SILENT
    assert state.next_handset == Handset(phone="")
    assert state.handset(OTHER_PHONE).whatsapp is WhatsAppMode.DELIVERED


@pytest.mark.parametrize(("phone", "outcome"), [(PHONE, "refused"), (None, "accepted")])
def test_a_refused_send_does_not_use_up_the_prepared_settings(
    state: State, phone: str | None, outcome: str
) -> None:
    state.change_next_handset({"whatsapp": "silent"})

    state.record_send(send(phone, outcome))

    assert state.next_handset.whatsapp is WhatsAppMode.SILENT


def test_a_number_with_its_own_settings_leaves_the_prepared_ones(state: State) -> None:
    state.change_handset(PHONE, {"sms": "silent"})
    state.change_next_handset({"whatsapp": "silent"})

    state.record_send(send())

    assert state.handset(PHONE).whatsapp is WhatsAppMode.DELIVERED
    assert state.next_handset.whatsapp is WhatsAppMode.SILENT


# Messages and sends


def test_messages_are_shown_in_the_order_of_arrival(state: State) -> None:
    first, second = message(1), message(2)
    state.add_message(first)
    state.add_message(second)
    assert state.shown_messages(PHONE) == []

    state.show(second)
    time.sleep(0.002)
    state.show(first)
    state.show(second)

    assert [item.id for item in state.shown_messages(PHONE)] == ["2", "1"]


def test_the_last_message_is_that_of_the_channel(state: State) -> None:
    state.add_message(message(1, channel=Channel.WHATSAPP))
    state.add_message(message(2))
    state.add_message(message(3, OTHER_PHONE))

    last = state.last_message(PHONE, Channel.WHATSAPP)
    assert last is not None
    assert last.id == "1"
    assert state.last_message(OTHER_PHONE, Channel.WHATSAPP) is None


@pytest.mark.parametrize(
    ("channel", "to", "after", "numbers"),
    [
        (None, None, 0, [1, 2, 3]),
        (None, None, 3, []),
        (Channel.SMS, None, 0, [1, 3]),
        (None, OTHER_PHONE, 0, [3]),
        (Channel.WHATSAPP, PHONE, 1, [2]),
        (Channel.WHATSAPP, OTHER_PHONE, 0, []),
    ],
)
def test_sends_are_filtered(
    state: State, channel: str | None, to: str | None, after: int, numbers: list[int]
) -> None:
    state.record_send(send())
    state.record_send(send(channel=Channel.WHATSAPP))
    state.record_send(send(OTHER_PHONE))

    assert [n for n, _ in state.sends(channel=channel, to=to, after=after)] == numbers


# Requests that hang


def test_a_request_hangs_for_its_time(state: State) -> None:
    begun = time.monotonic()

    state.hang(0.05)

    assert 0.05 <= time.monotonic() - begun < 2


@pytest.mark.parametrize("how", ["release", "reset"])
def test_hanging_requests_are_released_together(state: State, how: str) -> None:
    with ThreadPoolExecutor(max_workers=5) as pool:
        waiting = [pool.submit(state.hang, 60) for _ in range(5)]
        time.sleep(0.05)
        getattr(state, how)()

        for item in waiting:
            item.result(timeout=5)


def test_a_request_after_the_release_hangs_again(state: State) -> None:
    state.release()
    hung = threading.Thread(target=state.hang, args=(60,))
    hung.start()
    hung.join(timeout=0.05)

    assert hung.is_alive()
    state.release()
    hung.join(timeout=5)
    assert not hung.is_alive()


# Everything


def test_a_reset_keeps_the_accounts_only(state: State) -> None:
    state.accounts = Accounts(gateway_secret="other")
    state.change_faults({"sms_outage": "hang", "reports": {"lose": True}})
    state.change_next_handset({"sms": "late"})
    state.change_handset(PHONE, {"sms": "late"})
    state.unsubscribed.add("1")
    state.callbacks["1"] = "http://a.example/"
    show(state, message(1))
    state.record_send(send())
    assert state.faults.sms_outage is Outage.HANG

    state.reset()

    assert state.faults == Faults()
    assert state.next_handset == Handset(phone="")
    assert state.handsets(10) == []
    assert state.sends(channel=None, to=None, after=0) == []
    assert state.message("1") is None
    assert not state.unsubscribed
    assert not state.callbacks
    assert state.accounts.gateway_secret == "other"


def test_many_threads_lose_no_send_and_no_message(state: State) -> None:
    def work(worker: int) -> None:
        for number in range(100):
            show(state, message(worker * 1000 + number, f"+8525123{worker:04}"))
            state.record_send(send())
            state.handsets(10)
            state.change_handset(PHONE, {"delay_ms": number})

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(work, range(8)))

    assert [n for n, _ in state.sends(channel=None, to=None, after=0)] == list(range(1, 801))
    for worker in range(8):
        shown = [int(item.id) for item in state.shown_messages(f"+8525123{worker:04}")]
        assert shown == [worker * 1000 + number for number in range(50, 100)]
