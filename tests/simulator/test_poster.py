"""Timers, and posts with their order and their repeats."""

import threading
from datetime import timedelta

import pytest

from simulator.server import poster as poster_module
from simulator.server.poster import Post, Poster
from simulator.server.timers import Timers
from tests.simulator.support import PHONE, Receiver, wait_until

# Timers


def test_timers_run_in_the_order_of_their_time() -> None:
    timers, ran, done = Timers(), [], threading.Event()
    timers.after(0.04, done.set)
    timers.after(0.02, lambda: ran.append("second"))
    timers.after(0.01, lambda: ran.append("first"))
    timers.after(0, lambda: ran.append("at once"))

    assert done.wait(5)
    timers.close()

    assert ran == ["at once", "first", "second"]


def test_cancelled_timers_do_not_run() -> None:
    timers, ran, done = Timers(), [], threading.Event()
    timers.after(0.01, lambda: ran.append("cancelled"))
    timers.cancel_all()
    timers.after(0.03, done.set)

    assert done.wait(5)
    timers.close()

    assert ran == []


# Posts


def test_posts_of_one_key_keep_their_order(receiver: Receiver) -> None:
    timers = Timers()
    poster = Poster(timers)
    for number in range(50):
        poster.submit(Post(url=f"{receiver.url}/{number}?a=b#c", body=b"{}", headers={}, key="same"))

    paths = [item.path for item in receiver.wait(50)]
    poster.close()
    timers.close()

    assert paths == [f"/{number}?a=b" for number in range(50)]
    assert poster.counts()["posted"] == 50


def test_a_post_is_given_up_after_its_tries(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    monkeypatch.setattr(poster_module, "BACKOFF_SECONDS", (0.01, 0.01))
    receiver.answers.extend([500] * 10)
    timers = Timers()
    poster = Poster(timers)
    poster.submit(Post(url=f"{receiver.url}/x", body=b"", headers={}, key="k", tries=3))

    wait_until(lambda: poster.counts()["given_up"] == 1)
    poster.close()
    timers.close()

    assert len(receiver.received) == 3


def test_a_post_to_a_closed_port_is_repeated_and_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(poster_module, "BACKOFF_SECONDS", (0.01,))
    timers = Timers()
    poster = Poster(timers)
    poster.post_now(Post(url="http://127.0.0.1:1/x", body=b"", headers={}, key=PHONE, tries=2))

    wait_until(lambda: poster.counts()["given_up"] == 1)
    poster.close()
    timers.close()

    assert "gave up posting a report: ConnectError" in caplog.text
    assert PHONE not in caplog.text


def test_tries_of_a_report_fit_into_ten_seconds() -> None:
    assert len(poster_module.BACKOFF_SECONDS) == 4
    assert timedelta(seconds=sum(poster_module.BACKOFF_SECONDS)) < timedelta(seconds=10)
