"""The short way of our own lines: the same shape and the same secrecy as when each value is gone through."""

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from authsvc import log_lines
from tests.budgets.spending import counted_calls
from users import phones

NUMBER = "+85251234567"
UUID = "01890000-0000-7000-8000-000000000001"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The real configuration, writing where the test can read."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    structlog.contextvars.clear_contextvars()
    log_lines.configure(level="DEBUG", json=True, write=lambda line: print(line, file=stream))
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def hidden(event: dict[str, Any]) -> dict[str, Any]:
    return dict(log_lines.hide_secrets(None, "info", dict(event)))


class Channel(StrEnum):
    SMS = "sms"
    NUMBERED = NUMBER


class Figure(IntEnum):
    SEVEN = 7


@pytest.mark.parametrize(
    "value",
    [
        NUMBER,
        "85251234567",
        "8525123-4567",
        "852 51 23 45 67",
        "(852) 5123.4567",
        "852\t5123\u00a04567",
        "852\u200b5123\u20604567",
        "\u202a+852\u202c5123\u202c4567",
        "\u0668\u0665\u0662\u0665\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
        "\uff18\uff15\uff12\uff15\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
        "user-85251234567",
        "%2B85251234567",
        f"{UUID} 85251234567",
        f"deadbeef{'85251234567'}",
        Channel.NUMBERED,
        [NUMBER],
        (("a", (NUMBER,)),),
        {NUMBER: 1},
        {"a": {"b": [{"c": NUMBER}]}},
        {1: NUMBER},
        frozenset({NUMBER}),
        ValueError(NUMBER),
        b"+85251234567",
        type("Odd", (), {"__repr__": lambda _self: f"<{NUMBER}>"})(),
        type("Text", (str,), {})(NUMBER),
        type("Count", (int,), {"__repr__": lambda _self: NUMBER})(7),
        f"a\n{NUMBER}\nb",
        f'"{NUMBER}\\"',
        f"wamid.{NUMBER}",
    ],
    ids=repr,
)
def test_a_number_is_hidden_wherever_it_is(log: io.StringIO, value: object) -> None:
    structlog.get_logger("x").info("event", detail=value)

    written = json.dumps(json.loads(log.getvalue()), ensure_ascii=False)
    assert not re.search(r"5\W*1\W*2\W*3\W*4\W*5", written), written
    assert "\uff15\uff11\uff12" not in written
    assert "\u0665\u0661\u0662" not in written


def fail() -> None:
    raise ValueError(NUMBER) from KeyError(NUMBER)


def test_a_number_is_hidden_in_the_event_in_what_is_bound_and_in_exceptions(log: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(bound=NUMBER, code="482913")
    structlog.get_logger("x").warning(f"event of {NUMBER}")
    structlog.get_logger("x").warning("to %s", NUMBER)
    structlog.get_logger("x").bind(logger_bound=[NUMBER]).warning("event")
    try:
        fail()
    except ValueError as error:
        structlog.get_logger("x").exception("failed", reason=error)

    assert "5123456" not in log.getvalue()
    assert "482913" not in log.getvalue()
    assert log.getvalue().count("[hidden]") == 4


plain = st.one_of(
    st.sampled_from([UUID, "a" * 32, "0" * 40, "f" * 64, "SM" + "0" * 32, "challenge.started", "2026-11-26T21:55:38"]),
    st.text("abcdef0123456789", max_size=70),
    st.text("0123456789 -+.wamid", max_size=20),
    st.text(max_size=12),
    st.integers(),
    st.floats(allow_nan=False),
    st.booleans(),
    st.none(),
    st.sampled_from([*Channel, *Figure]),
)  # fmt: skip
keys = st.sampled_from(["event", "code", "timestamp", "block", "token", "challenge_id", "a"])


@given(
    event=st.dictionaries(keys, st.one_of(plain, st.lists(plain), st.dictionaries(keys, plain)), max_size=6)
)
def test_the_short_way_says_what_going_through_each_value_says(event: dict[str, Any]) -> None:
    long = {
        key: value if key in log_lines._PLAIN else log_lines._hidden(key, value)
        for key, value in event.items()
    }

    assert hidden(event) == long
    assert json.dumps(hidden(event)) == json.dumps(long)


@given(text=st.one_of(st.text(), st.from_regex(r"[0-9a-f-]{30,70}", fullmatch=True)))
def test_what_is_called_harmless_is_left_as_it_is_by_the_long_way(text: str) -> None:
    if phones.is_harmless(text):
        assert phones._SENSITIVE.sub(phones._mask_match, text) == text == phones.mask_text(text)


@pytest.mark.parametrize("method", ["debug", "info", "warning", "error", "critical", "warn", "fatal", "msg"])
def test_our_lines_have_the_level_of_the_others(log: io.StringIO, method: str) -> None:
    getattr(structlog.get_logger("ours"), method)("event")
    same = {"warn": "warning", "fatal": "critical", "msg": "info"}.get(method, method)
    logging.getLogger("theirs").log(getattr(logging, same.upper()), "event")

    ours, theirs = (json.loads(line) for line in log.getvalue().splitlines())
    assert ours["level"] == theirs["level"] == same


def test_the_time_is_now_in_utc(log: io.StringIO) -> None:
    before = datetime.now(UTC)
    structlog.get_logger("ours").info("event")

    written = json.loads(log.getvalue())["timestamp"]
    assert written.endswith("Z")
    assert before <= datetime.fromisoformat(written) <= datetime.now(UTC)


def test_what_a_line_says_itself_comes_before_what_is_bound(log: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(request_id="bound", channel="sms")
    structlog.get_logger("ours").info("event", request_id="own")

    line = json.loads(log.getvalue())
    assert (line["request_id"], line["channel"]) == ("own", "sms")


@pytest.mark.parametrize("exc_info", [None, False, True])
def test_there_is_no_traceback_without_an_exception(log: io.StringIO, exc_info: object) -> None:
    structlog.get_logger("ours").info("event", exc_info=exc_info)

    assert sys.exc_info() == (None, None, None)
    assert "exc_info" not in json.loads(log.getvalue())
    assert "Traceback" not in log.getvalue()


def test_a_line_takes_few_function_calls(log: io.StringIO) -> None:
    logger = structlog.get_logger("otp.start")
    structlog.contextvars.bind_contextvars(request_id="0" * 32, challenge_id=UUID)

    def write() -> None:
        logger.info("challenge.started", channel="sms", block="203.0.113.0/24", wait_ms=1200, test=False)

    write()
    with counted_calls() as calls:
        write()
    assert 0 < calls[0] <= 20
