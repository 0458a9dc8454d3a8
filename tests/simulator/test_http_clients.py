"""Clients of the HTTP server that leave before the answer, and many at once."""

import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.simulator.raw_http import connected, graph_post, read_all
from tests.simulator.support import PHONE, Receiver, send_twilio, send_whatsapp, wait_until
from tests.simulator_client import RunningSimulator, SimulatorClient

# Clients that leave


@contextmanager
def impatient(simulator: RunningSimulator) -> Iterator[socket.socket]:
    """A connection that is reset when it is closed."""
    with connected(simulator) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        yield connection


def test_an_accepted_message_is_reported_although_its_sender_has_left(
    client: SimulatorClient, simulator: RunningSimulator, receiver: Receiver
) -> None:
    client.set_faults(answer_seconds=0.1)

    with impatient(simulator) as connection:
        connection.sendall(graph_post())
        wait_until(lambda: bool(client.sends()))

    assert receiver.statuses(2) == ["sent", "delivered"]
    assert client.sends()[0]["outcome"] == "accepted"


def test_the_server_goes_on_after_clients_have_left(
    client: SimulatorClient, simulator: RunningSimulator
) -> None:
    for _ in range(20):
        with impatient(simulator) as connection:
            connection.sendall(b"GET /sends HT")
    with connected(simulator):
        pass

    assert client.http.get("/healthz").status_code == 200


# Many at once


def test_many_messages_at_once_are_all_recorded_once(
    client: SimulatorClient, simulator: RunningSimulator, receiver: Receiver
) -> None:
    phones = [f"+8525123{number:04}" for number in range(60)]

    def send(phone: str) -> bytes:
        with connected(simulator) as connection:
            connection.sendall(graph_post(phone))
            return read_all(connection)

    with ThreadPoolExecutor(max_workers=16) as pool:
        answers = list(pool.map(send, phones))

    sends = client.sends()
    assert [item["n"] for item in sends] == list(range(1, 61))
    assert sorted(item["to"] for item in sends) == phones
    assert len({item["id"] for item in sends}) == 60
    for phone, answer in zip(phones, answers, strict=True):
        assert client.messages(phone)[0]["id"].encode() in answer
    receiver.statuses(120)
    order: dict[str, list[str]] = {}
    for received in receiver.received:
        for status in received.statuses:
            order.setdefault(status["id"], []).append(status["status"])
    assert set(map(tuple, order.values())) == {("sent", "delivered")}


def test_hanging_requests_leave_room_for_others(client: SimulatorClient, simulator: RunningSimulator) -> None:
    client.set_faults(whatsapp_outage="hang", hang_seconds=30)
    with ThreadPoolExecutor(max_workers=30) as pool:
        waiting = [pool.submit(_send_and_wait, simulator) for _ in range(30)]
        wait_until(lambda: len(client.sends()) == 30)

        assert send_twilio(client).status_code == 201
        client.reset()

        assert [item.result(timeout=5) for item in waiting] == [b""] * 30


def _send_and_wait(simulator: RunningSimulator) -> bytes:
    with connected(simulator) as connection:
        connection.sendall(graph_post())
        return read_all(connection)


def test_changes_and_sends_at_once_end_in_one_of_the_states(
    client: SimulatorClient, simulator: RunningSimulator
) -> None:
    errors: list[Exception] = []

    def steer(mode: str) -> None:
        try:
            with simulator.client() as own:
                for _ in range(20):
                    own.set_handset(PHONE, whatsapp=mode)
                    own.set_faults(reports={"double": mode == "read"})
                    send_whatsapp(own)
                    own.messages(PHONE)
                    own.sends(to=PHONE)
        except Exception as error:  # noqa: BLE001 # looked at below
            errors.append(error)

    threads = [threading.Thread(target=steer, args=(mode,)) for mode in ("read", "silent", "delivered")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert client.handset(PHONE)["whatsapp"] in ("read", "silent", "delivered")
    assert len(client.sends()) == 60
