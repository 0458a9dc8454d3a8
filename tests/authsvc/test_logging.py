"""What is written to the log, and what never is."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from abuse.rules import address_subjects
from authsvc.settings.logging import hide_secrets, logging_config
from console.staff import browsers


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The real configuration, writing where the test can read."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logging_config(level="DEBUG", json=True)
    stream = io.StringIO()
    root.handlers[0].stream = stream  # type: ignore[attr-defined] # a stream handler
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_line_with_time_level_and_logger(log: io.StringIO) -> None:
    structlog.get_logger("otp").info("challenge.started", challenge_id="01890000-0000-7000-8000-000000000001")

    (line,) = lines(log)
    assert (line["event"], line["level"], line["logger"]) == ("challenge.started", "info", "otp")
    assert line["challenge_id"] == "01890000-0000-7000-8000-000000000001"
    assert "timestamp" in line


@pytest.mark.parametrize(
    "name", ["code", "otp", "token", "secret", "password", "authorization", "cookie", "text", "body"]
)
def test_values_under_telling_names_are_dropped(name: str, log: io.StringIO) -> None:
    """P2."""
    structlog.get_logger("x").warning("event", **{name: "482913"})

    assert "482913" not in log.getvalue()


def test_numbers_are_masked_wherever_they_stand(log: io.StringIO) -> None:
    """P2: in structured values, in messages of other libraries, and in tracebacks."""
    structlog.get_logger("x").warning("event", detail="Invalid 'To' Phone Number: +85251234567")
    logging.getLogger("some.library").warning("cannot send to %s", "+85251234567")
    try:
        int("number +85251234567")
    except ValueError:
        logging.getLogger("some.library").exception("failed")

    assert "51234567" not in log.getvalue()
    assert len(lines(log)) == 3


@pytest.mark.parametrize("text", ["a\nforged line", "a\r\nb", "tab\there", "\x1b[31mred", "\u2028"])
def test_an_entry_cannot_be_forged_by_input(text: str, log: io.StringIO) -> None:
    """P3."""
    structlog.get_logger("x").warning("event", agent=text)

    assert len(log.getvalue().strip().split("\n")) == 1


@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8:1:2::3", "::ffff:198.51.100.9"])
def test_who_tries_names_of_staff_can_be_told_from_the_log(address: str, log: io.StringIO) -> None:
    """S3: the block of an address looks like a number, and so do the digits of a digest."""
    names = [browsers.digest(f"name-{nth}") for nth in range(200)]
    for name in names:
        block = address_subjects(address)[1]
        structlog.get_logger("x").warning("staff.login", block=block, name=name)

    assert {line["block"] for line in lines(log)} == {address_subjects(address)[1]}
    assert [line["name"] for line in lines(log)] == names


def test_whatsapp_message_ids_are_masked() -> None:
    event = hide_secrets(None, "info", {"event": "sent wamid.HBgNNTIxNTU1MDEwMDEyMxUC"})

    assert event["event"] == "sent wamid.••••"
