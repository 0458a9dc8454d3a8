"""Logs (written by `authsvc.log_lines`), metrics and traces."""

import sys
from pathlib import Path

from authsvc import log_lines
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
LOGGING_CONFIG = None  # not Django's: log_lines.configure below

# These write URLs, which can hold ids, at INFO.
_QUIET = (
    "httpx", "httpcore", "twilio", "urllib3", "celery.app.trace", "celery.worker.strategy", "celery.beat",
)  # fmt: skip
if not TESTING:
    # The output of an operator's command is its answer, so its log goes to stderr.
    _is_command = Path(sys.argv[0]).name == "manage.py" and not {"serve", "demo"} & set(sys.argv[1:2])
    log_lines.configure(
        level=LOG_LEVEL,
        json=LOG_FORMAT == "json",
        write=log_lines.writer(sys.stderr if _is_command else sys.stdout or sys.stderr),
        quiet=_QUIET,
    )
