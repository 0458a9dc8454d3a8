"""Backends that call nobody: the terminal and the tests' memory. And the choice among all of them."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest

from channels import providers
from channels.errors import SendError
from channels.providers.console import ConsoleBackend
from channels.providers.memory import MemoryBackend
from channels.types import Channel, FailureReason, Receipt
from tests.channels import support

SMS = support.config("memory", Channel.SMS, {"access_token": support.SECRETS[0]})
WHATSAPP = support.config("memory", Channel.WHATSAPP, {})


def test_the_console_shows_the_sms_as_it_is() -> None:
    stream = io.StringIO()

    receipt = ConsoleBackend(stream).send(support.message(), SMS)

    assert stream.getvalue() == f"[sms] {support.PHONE}: {support.TEXT}\n"
    assert receipt.provider_message_id == f"console-{support.DELIVERY_ID}"


def test_the_console_shows_the_code_of_a_whatsapp_message(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleBackend().send(support.message(), WHATSAPP)

    assert capsys.readouterr().out == f"[whatsapp] {support.PHONE}: code {support.CODE}\n"


def test_the_memory_keeps_what_was_sent() -> None:
    memory = MemoryBackend()

    first = memory.send(support.message(), SMS)
    second = memory.send(support.message(), SMS)

    assert memory.outbox == [support.message()] * 2
    assert first != second


def test_the_memory_fails_as_ordered_and_then_works() -> None:
    memory = MemoryBackend()
    memory.then(SendError(FailureReason.UNAVAILABLE), Receipt(certain=False))

    with pytest.raises(SendError):
        memory.send(support.message(), SMS)
    assert memory.outbox == []
    assert memory.send(support.message(), SMS) == Receipt(certain=False)
    assert memory.send(support.message(), SMS).certain
    assert len(memory.outbox) == 2


def test_the_memory_forgets() -> None:
    memory = MemoryBackend()
    memory.send(support.message(), SMS)
    memory.then(SendError(FailureReason.UNAVAILABLE))

    memory.clear()

    assert memory.outbox == []
    memory.send(support.message(), SMS)


def test_an_outbox_is_a_copy() -> None:
    memory = MemoryBackend()
    memory.outbox.append(support.message())

    assert memory.outbox == []


def test_the_memory_loses_nothing_among_threads() -> None:
    memory = MemoryBackend()
    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(lambda _: memory.send(support.message(), SMS), range(500)))

    assert len(memory.outbox) == 500
    assert len({receipt.provider_message_id for receipt in receipts}) == 500


@pytest.mark.parametrize("name", list(providers.PROVIDERS))
def test_a_provider_has_one_backend_in_a_process(name: str) -> None:
    assert providers.backend(name) is providers.backend(name)
    assert callable(providers.backend(name).send)


def test_a_message_goes_to_its_senders_provider() -> None:
    memory = providers.backend("memory")
    assert isinstance(memory, MemoryBackend)
    memory.clear()

    providers.send(message=support.message(), sender=WHATSAPP)

    assert WHATSAPP.channel is Channel.WHATSAPP
    assert memory.outbox == [support.message()]
    memory.clear()


def test_what_is_printed_by_mistake_shows_no_secret() -> None:
    shown = f"{support.message()!r} {support.whatsapp_sender()!r} {support.twilio_sender()!r} {SMS!r}"

    hidden = (support.CODE, support.PHONE, *support.SECRETS)
    assert [word for word in hidden if word in shown] == []
