"""Logs, metrics and traces. Logs: structlog over the standard library, one line each; numbers masked, codes and secrets
never written."""

import logging.config
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from authsvc.settings.env import PRODUCTION, TESTING
from core import env

# Who may read /metrics: these networks, and requests with the token.
AUTHSVC_METRICS_NETWORKS = env.networks(
    "AUTHSVC_METRICS_NETWORKS", () if PRODUCTION else ("127.0.0.0/8", "::1/128")
)
AUTHSVC_METRICS_TOKEN = env.text("AUTHSVC_METRICS_TOKEN")
# A worker without a web server beside it serves its metrics here; 0: it does not.
METRICS_PORT = env.integer("METRICS_PORT", 0, minimum=0, maximum=65535)
METRICS_ADDRESS = env.address("METRICS_ADDRESS", "127.0.0.1")

# Optional, see authsvc.telemetry. OpenTelemetry reads its other OTEL_ variables by itself.
SENTRY_DSN = env.text("SENTRY_DSN")
OTEL_EXPORTER_OTLP_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_ENDPOINT")
OTEL_SERVICE_NAME = env.text("OTEL_SERVICE_NAME", "authsvc")

LOG_FORMAT = env.choice("LOG_FORMAT", ("json", "text"), "json" if PRODUCTION else "text")
LOG_LEVEL = env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
LOGGING_CONFIG = None  # not Django's: logging_config below

# These write URLs, which can hold ids, at INFO.
_QUIET = (
    "httpx", "httpcore", "twilio", "urllib3", "celery.app.trace", "celery.worker.strategy", "celery.beat",
)  # fmt: skip
_HIDDEN = frozenset({"code", "otp", "token", "secret", "password", "cookie", "authorization", "text", "body"})
# Written by us alone: moments, names of ours, blocks of addresses, which look like numbers.
_PLAIN = frozenset({"timestamp", "level", "logger", "block", "address_block"})


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop values whose names suggest a secret, and mask everything that looks like a phone number."""
    from users.phones import mask_text  # late: settings load this module before the apps

    for key, value in event.items():
        if key in _HIDDEN:
            event[key] = "[hidden]"
        elif isinstance(value, str) and key not in _PLAIN:
            event[key] = mask_text(value)
    return event


def logging_config(*, level: str, json: bool, stream: str = "stdout") -> None:
    """Configure both logging systems: JSON lines for machines, plain ones for people."""
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
    handler = {"class": "logging.StreamHandler", "stream": f"ext://sys.{stream}", "formatter": "lines"}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"lines": _formatter(json=json)},
            "handlers": {"lines": handler},
            "root": {"handlers": ["lines"], "level": level},
            "loggers": {name: {"level": "WARNING"} for name in _QUIET},
        }
    )


def _formatter(*, json: bool) -> dict[str, object]:
    """One line for each event, whichever of the two systems it comes from."""
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        # Not all extras: Django's `request` prints the query, and with it Meta's verify token.
        "foreign_pre_chain": [structlog.stdlib.ExtraAdder(allow=["status_code"])],
        "processors": [
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            hide_secrets,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False),
        ],
    }


if not TESTING:
    # The output of an operator's command is its answer, so its log goes to stderr.
    _is_command = Path(sys.argv[0]).name == "manage.py" and not {"serve", "demo"} & set(sys.argv[1:2])
    logging_config(level=LOG_LEVEL, json=LOG_FORMAT == "json", stream="stderr" if _is_command else "stdout")
