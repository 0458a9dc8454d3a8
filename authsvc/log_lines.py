"""Log lines: our events straight from structlog, those of other libraries through `logging`, both in one shape.

A line is written by one `write`, so lines of several threads and processes on one stream do not mix. Numbers are masked
in every text, whatever its key; values under telling keys are never written.
"""

import json
import logging
import os
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from users.phones import is_harmless, mask_text

type _Event = MutableMapping[str, Any]

_HIDDEN = frozenset({"code", "otp", "token", "secret", "password", "cookie", "authorization", "text", "body"})
# Written by us alone: moments, names of ours, blocks of addresses, which look like numbers.
_PLAIN = frozenset({"timestamp", "level", "logger", "block", "address_block"})
_FIGURES = frozenset({int, float, bool, type(None)})


class OurLogger:
    """What structlog's filtering logger hands finished lines to, whatever their level."""

    def __init__(self, write: Callable[[str], None], name: str = "") -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = self.critical = write


class ForeignHandler(logging.Handler):
    """Writes formatted records of other libraries the same way."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(self.format(record))
        except Exception as error:  # noqa: BLE001 # as every handler: a record that cannot be formatted stops nobody
            # logging's own handleError prints the arguments, which nobody has masked.
            structlog.get_logger(record.name).error(
                "log.record_unreadable", error=type(error).__name__, at=f"{record.module}:{record.lineno}"
            )


def writer(stream: TextIO | None) -> Callable[[str], None]:
    """A function that appends one line to `stream`, a file with a descriptor. It never raises: a full disk, or a reader
    that is gone, must not refuse a login. A line of which a full pipe took a part ends there; the next one is whole.
    None: the process was started with the stream closed, nothing is written."""
    if stream is None:
        return lambda _line: None
    is_cut = False

    def write(line: str) -> None:
        nonlocal is_cut
        rest = (f"\n{line}\n" if is_cut else f"{line}\n").encode(errors="backslashreplace")
        try:
            stream.flush()  # what was printed before comes first
            while rest:
                rest = rest[os.write(stream.fileno(), rest) :]
                is_cut = bool(rest)
        except (OSError, ValueError):
            pass  # ValueError: closed, at the end of the process

    return write


def add_common(logger: OurLogger, method: str, event: _Event) -> _Event:
    """What every line of ours says besides: the same as structlog's own processors add to those of other libraries, in
    one function. The name is the one that the logger was asked for by, under the key that `logging`'s records use."""
    structlog.contextvars.merge_contextvars(logger, method, event)
    event["logger"] = logger.name
    event["level"] = method
    event["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    if "exc_info" in event:
        structlog.processors.format_exc_info(logger, method, event)
    return event


def hide_secrets(_logger: object, _method: str, event: _Event) -> _Event:
    """Drop values whose keys suggest a secret, and mask everything that looks like a phone number."""
    for key, value in event.items():
        if key in _HIDDEN:
            event[key] = "[hidden]"
        elif key in _PLAIN or type(value) in _FIGURES:
            continue
        elif not (isinstance(value, str) and is_harmless(value)):  # nearly all are words and ids
            event[key] = _masked(value)
    return event


def _hidden(key: str, value: object) -> object:
    return "[hidden]" if key in _HIDDEN else _masked(value)


def _masked(value: Any) -> Any:  # noqa: ANN401 # whatever was logged, and it again
    if isinstance(value, str):
        return mask_text(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, dict):
        return {_masked(str(key)): _hidden(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_masked(item) for item in value]
    return mask_text(repr(value))


_encode = json.JSONEncoder(default=lambda value: mask_text(repr(value))).encode


def to_json(_logger: object, _method: str, event: _Event) -> str:
    """One line of ASCII, in which nothing that was logged can begin another line."""
    return _encode(event)


def _finish(render: Callable[[object, str, _Event], str]) -> Processor:
    """Masks and renders. What cannot be written, such as a value whose `repr` raises, is named instead."""

    def finish(logger: object, method: str, event: _Event) -> str:
        name = event.get("event")
        try:
            return render(logger, method, hide_secrets(logger, method, event))
        except Exception as error:  # noqa: BLE001 # of whatever was logged: a line must not refuse a login
            kept = {key: event[key] for key in ("logger", "level", "timestamp") if key in event}
            unreadable = {"event": "log.value_unreadable", "of": str(name), "error": type(error).__name__}
            return render(logger, method, hide_secrets(logger, method, unreadable | kept))

    return finish


def configure(*, level: str, json: bool, write: Callable[[str], None], quiet: tuple[str, ...] = ()) -> None:
    """Configure both systems: JSON lines for machines, plain ones for people.

    `level` is the lowest that is written ("INFO"); loggers of other libraries named in `quiet` begin at WARNING.
    """
    render = to_json if json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[add_common, _finish(render)],
        logger_factory=lambda *name: OurLogger(write, *name),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = ForeignHandler(write)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            # Not all extras: Django's `request` prints the query, and with it Meta's verify token.
            foreign_pre_chain=[
                structlog.stdlib.ExtraAdder(allow=["status_code"]),
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_logger_name,
            ],
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                hide_secrets,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in quiet:
        logging.getLogger(name).setLevel(logging.WARNING)
