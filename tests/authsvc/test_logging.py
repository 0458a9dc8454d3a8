"""What is written to the log, and what never is."""

import io
import json
import logging
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import date

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from abuse.rules import address_subjects
from authsvc import log_lines
from authsvc.log_lines import hide_secrets
from console.staff import browsers
from tests.processes import ROOT

NUMBER = "+85251234567"


@pytest.fixture
def configured() -> Iterator[Callable[..., io.StringIO]]:
    """The real configuration, writing where the test can read."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def configure(*, level: str = "DEBUG", json: bool = True) -> io.StringIO:
        stream = io.StringIO()
        log_lines.configure(
            level=level, json=json, write=lambda line: print(line, file=stream), quiet=("noisy",)
        )
        return stream

    yield configure
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("noisy").setLevel(logging.NOTSET)
    structlog.reset_defaults()


@pytest.fixture
def log(configured: Callable[..., io.StringIO]) -> io.StringIO:
    structlog.contextvars.clear_contextvars()  # what a request of another test has bound
    return configured()


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


def failing(text: str) -> None:
    raise ValueError(text)


def test_both_systems_write_the_same_shape(log: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger("ours").warning("event")
        logging.getLogger("theirs").warning("an %s", "event")

    ours, theirs = lines(log)
    assert ours.keys() == theirs.keys() == {"event", "level", "logger", "timestamp", "request_id"}
    assert (theirs["event"], theirs["logger"], theirs["level"]) == ("an event", "theirs", "warning")
    assert (ours["event"], ours["logger"], ours["level"]) == ("event", "ours", "warning")


def test_of_the_extras_of_a_foreign_record_only_the_status_is_written(log: io.StringIO) -> None:
    logging.getLogger("django.request").warning(
        "no", extra={"status_code": 404, "request": "?token=hidden-one"}
    )

    (line,) = lines(log)
    assert line["status_code"] == 404
    assert "hidden-one" not in log.getvalue()


def test_the_level_holds_for_both_systems(configured: Callable[..., io.StringIO]) -> None:
    stream = configured(level="WARNING")
    for logger in (structlog.get_logger("ours"), logging.getLogger("theirs")):
        logger.debug("low")
        logger.info("low")
        logger.warning("high")
        logger.error("high")

    assert [line["event"] for line in lines(stream)] == ["high"] * 4


def test_a_quiet_library_begins_at_warning(log: io.StringIO) -> None:
    logging.getLogger("noisy").info("POST https://example.com/secret-path")
    logging.getLogger("noisy").warning("it failed")

    assert [line["event"] for line in lines(log)] == ["it failed"]


@pytest.mark.parametrize("json_lines", [True, False])
def test_a_traceback_is_part_of_the_line_and_masked(
    json_lines: bool, configured: Callable[..., io.StringIO]
) -> None:
    stream = configured(json=json_lines)
    try:
        failing(f"refused for {NUMBER}")
    except ValueError as error:
        structlog.get_logger("ours").exception("crashed")
        structlog.get_logger("ours").error("crashed", exc_info=error)
        logging.getLogger("theirs").exception("crashed")

    written = stream.getvalue()
    assert written.count("ValueError: refused for") == 3
    assert "5123456" not in written
    if json_lines:
        assert {line["level"] for line in lines(stream)} == {"error"}


def test_lines_for_people_are_masked_too(configured: Callable[..., io.StringIO]) -> None:
    stream = configured(json=False)
    structlog.get_logger("ours").info("event", code="482913", items=[NUMBER], why=f"not {NUMBER}")

    assert "[hidden]" in stream.getvalue()
    assert "482913" not in stream.getvalue()
    assert "5123456" not in stream.getvalue()


class Talkative:
    def __repr__(self) -> str:
        return f"<Talkative {NUMBER}>"


_holding = st.recursive(
    st.sampled_from([NUMBER, f"to {NUMBER}.", f"wamid.{NUMBER}", Talkative(), ValueError(NUMBER), (NUMBER,)]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3),
        st.dictionaries(st.sampled_from(["detail", "event", NUMBER, "challenge_id"]), inner, min_size=1),
        st.frozensets(st.just(NUMBER), min_size=1),
    ),
    max_leaves=5,
)
_keys = st.one_of(
    st.sampled_from(["event", "challenge_id", "channel", "request_id", "kid", "error"]), st.text(min_size=1)
)


@given(key=_keys.filter(lambda key: key not in log_lines._PLAIN), value=_holding)
def test_no_key_and_no_nesting_lets_a_number_through(key: str, value: object) -> None:
    """P2: there is no list of keys that are safe, so a new one cannot be forgotten in it."""
    event = hide_secrets(None, "info", {key: value})

    assert "5123456" not in log_lines.to_json(None, "info", event)


def test_secrets_within_values_are_dropped_as_well() -> None:
    event = hide_secrets(
        None, "info", {"details": {"token": "482913", "kind": "a"}, "parts": [{"code": "482913"}]}
    )

    assert event == {"details": {"token": "[hidden]", "kind": "a"}, "parts": [{"code": "[hidden]"}]}


@pytest.mark.parametrize("key", ["timestamp", "level", "logger", "block", "address_block"])
def test_within_a_value_no_name_is_plain(key: str) -> None:
    event = hide_secrets(None, "", {"v": {key: [NUMBER], "level": {"code": "123456", "p": NUMBER}}})

    assert "51234567" not in str(event)
    assert "123456" not in str(event)


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize("json", [True, False])
def test_a_value_that_cannot_be_written_stops_nobody(
    json: bool, configured: Callable[..., io.StringIO]
) -> None:
    stream = configured(json=json)
    endless: list[object] = []
    endless.append(endless)

    structlog.get_logger("ours").info("first", value=Unprintable(), code="123456")
    structlog.get_logger("ours").info("second", value=endless)
    structlog.get_logger("ours").info("third")

    written = stream.getvalue()
    assert written.count("log.value_unreadable") == 2
    assert all(name in written for name in ("first", "second", "third", "RuntimeError", "RecursionError"))
    assert "123456" not in written


def test_a_value_that_json_does_not_know_is_written_as_it_prints(log: io.StringIO) -> None:
    structlog.get_logger("ours").info("event", block=date(2026, 11, 26))

    (line,) = lines(log)
    assert line["block"] == "datetime.date(2026, 11, 26)"


def test_without_a_stream_nothing_is_written_and_nothing_raised() -> None:
    """A service may be started with its output closed: Python has None there."""
    program = (
        "import sys; from authsvc import log_lines; import structlog\n"
        "log_lines.configure(level='INFO', json=True, write=log_lines.writer(sys.stdout))\n"
        "structlog.get_logger('x').info('line'); sys.exit(7 if sys.stdout is None else 8)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (7, "")


def test_ids_words_and_figures_stay_as_they_are() -> None:
    event = {"challenge_id": str(uuid.uuid7()) if hasattr(uuid, "uuid7") else str(uuid.uuid4()), "why": "too late",
             "wait_ms": 86_400_000, "share": 0.5, "test": False, "sender": None}  # fmt: skip

    assert hide_secrets(None, "info", dict(event)) == event


def test_a_message_may_take_arguments(log: io.StringIO) -> None:
    structlog.get_logger("ours").info("%s of %d", "one", 2)

    assert lines(log)[0]["event"] == "one of 2"


def test_tests_capture_events_also_of_a_logger_that_has_written_before(log: io.StringIO) -> None:
    logger = structlog.get_logger("ours")
    logger.info("before")
    with capture_logs() as captured:
        logger.info("within", channel="sms")
    logger.info("after")

    assert captured == [{"event": "within", "channel": "sms", "log_level": "info"}]
    assert [line["event"] for line in lines(log)] == ["before", "after"]


def test_a_record_that_cannot_be_formatted_stops_nobody_and_tells_nothing(log: io.StringIO) -> None:
    (handler,) = (each for each in logging.getLogger().handlers if isinstance(each, log_lines.ForeignHandler))
    handler.handle(
        logging.makeLogRecord({"name": "theirs", "msg": "%d of %d", "args": (NUMBER,), "lineno": 7})
    )

    (line,) = lines(log)
    assert (line["event"], line["logger"], line["error"]) == ("log.record_unreadable", "theirs", "TypeError")
    assert "5123456" not in log.getvalue()


@pytest.mark.parametrize(
    ("command", "level", "log_format", "on_stderr"),
    [
        ("serve", "INFO", "json", False),
        ("demo", "INFO", "text", False),
        ("doctor", "INFO", "json", True),
        ("doctor", "ERROR", "json", True),
    ],
)
def test_commands_log_beside_their_answers(
    command: str, level: str, log_format: str, on_stderr: bool
) -> None:
    script = (
        f"import sys; sys.argv = ['manage.py', {command!r}]; import authsvc.settings, structlog\n"
        "structlog.get_logger('ours').warning('an.event')"
    )
    environment = {"AUTHSVC_MODE": "demo", "LOG_LEVEL": level, "LOG_FORMAT": log_format, "PATH": os.defpath}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    used, other = (done.stderr, done.stdout) if on_stderr else (done.stdout, done.stderr)
    assert other == ""
    assert ("an.event" in used) is (level == "INFO")
    assert used.startswith("{") is (log_format == "json" and level == "INFO")
