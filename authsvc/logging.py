"""Logs: structlog over the standard library, one line each; numbers masked, codes and secrets never written."""

import logging.config
from collections.abc import MutableMapping
from typing import Any

import structlog

_HIDDEN = frozenset({"code", "otp", "token", "secret", "password", "cookie", "authorization", "text", "body"})


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Values under telling names are dropped, and whatever looks like a phone number is masked."""
    from users.phones import mask_text  # late: settings load this module before the apps

    for key, value in event.items():
        if key in _HIDDEN:
            event[key] = "[hidden]"
        elif isinstance(value, str) and key not in ("timestamp", "level", "logger"):
            event[key] = mask_text(value)
    return event


def logging_config(*, level: str, json: bool, stream: str = "stdout") -> None:
    """Configure both logging systems: JSON lines for machines, coloured lines for people."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "lines": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    # Not all extras: Django's `request` prints the query, and with it Meta's verify token.
                    "foreign_pre_chain": [structlog.stdlib.ExtraAdder(allow=["status_code"])],
                    "processors": [
                        *shared,
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        renderer,
                    ],
                }
            },
            "handlers": {
                "lines": {
                    "class": "logging.StreamHandler",
                    "stream": f"ext://sys.{stream}",
                    "formatter": "lines",
                }
            },
            "root": {"handlers": ["lines"], "level": level},
            "loggers": {
                # These write URLs, which can hold ids, at INFO.
                "httpx": {"level": "WARNING"},
                "httpcore": {"level": "WARNING"},
                "twilio": {"level": "WARNING"},
                "urllib3": {"level": "WARNING"},
                "celery.app.trace": {"level": "WARNING"},
                "celery.worker.strategy": {"level": "WARNING"},
                "celery.beat": {"level": "WARNING"},
            },
        }
    )
