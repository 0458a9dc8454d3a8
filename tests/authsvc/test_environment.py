"""Every variable that operators may set: a right value, a wrong one, an empty one, and one from a file."""

import base64
import re
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.authsvc.environments import PRODUCTION, Environments
from tests.processes import ROOT

pytestmark = pytest.mark.processes

KEY = bytes(range(32))
OTHER_SECRET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-9876543210-abcdefghij"
BROKER = "amqp://guest:guest@b//"
# Read where processes are started (tests/ops/test_processes.py), not by the settings.
OF_PROCESSES = {"PORT", "WEB_WORKERS", "WORKER_QUEUES"}

# variable, its text, an expression over the settings, and its value
RIGHT: list[tuple[str, str, str, object]] = [
    ("AUTHSVC_MODE", "demo", "MODE, PRODUCTION", ("demo", False)),
    ("DEBUG", "false", "DEBUG", False),
    ("SECRET_KEY", OTHER_SECRET, "SECRET_KEY", OTHER_SECRET),
    ("SECRET_KEY_FALLBACKS", "old, older", "SECRET_KEY_FALLBACKS", ["old", "older"]),
    ("AUTHSVC_OTP_KEYS", f"a:{base64.b64encode(KEY).decode()}", "AUTHSVC_OTP_KEYS", {"a": KEY}),
    ("AUTHSVC_ENCRYPTION_KEYS", "one,two", "AUTHSVC_ENCRYPTION_KEYS", ["one", "two"]),
    ("AUTHSVC_OIDC_KEY", "/run/secrets/key.pem", "AUTHSVC_OIDC_KEY", "/run/secrets/key.pem"),
    ("ALLOWED_HOSTS", "Login.Example.com.,[::1]", "ALLOWED_HOSTS", ["login.example.com", "[::1]"]),
    ("CSRF_TRUSTED_ORIGINS", "https://a.example,", "CSRF_TRUSTED_ORIGINS", ["https://a.example"]),
    ("AUTHSVC_TRUSTED_PROXIES", "10.0.0.0/8", "AUTHSVC_TRUSTED_PROXIES", (ip_network("10.0.0.0/8"),)),
    ("AUTHSVC_PUBLIC_URL", "HTTPS://Login.Example.com:443/", "AUTHSVC_PUBLIC_URL", "https://login.example.com"),
    ("AUTHSVC_VAR", "/srv/authsvc", "VAR_DIR", Path("/srv/authsvc")),
    ("DATABASE_URL", "sqlite:////srv/a.sqlite3", "DATABASES['default']['NAME']", "/srv/a.sqlite3"),
    ("DATABASE_POOL", "7", "DATABASES['default']['OPTIONS']['pool']['max_size']", 7),
    ("AUTHSVC_PGBOUNCER", "true", "'options' in DATABASES['default']['OPTIONS']", False),
    ("REDIS_URL", "rediss://r.example/3", "REDIS_URL, CELERY_BROKER_URL", ("rediss://r.example/3",) * 2),
    ("CELERY_BROKER_URL", BROKER, "CELERY_BROKER_URL", BROKER),
    ("WHATSAPP_API_URL", "https://g.example/v1/", "PROVIDER_API_URLS['whatsapp']", "https://g.example/v1"),
    ("TWILIO_API_URL", "https://t.example", "PROVIDER_API_URLS['twilio']", "https://t.example"),
    ("AUTHSVC_API_URLS", "vonage:https://v.example", "PROVIDER_API_URLS['vonage']", "https://v.example"),
    ("SIMULATOR_URL", "http://127.0.0.1:9010/", "SIMULATOR_URL", "http://127.0.0.1:9010"),
    ("AUTHSVC_OUTGOING_ALLOW", "10.2.0.0/16, g.internal", "AUTHSVC_OUTGOING_ALLOW", ["10.2.0.0/16", "g.internal"]),
    ("AUTHSVC_STAFF_SECOND_FACTOR", "offered", "AUTHSVC_STAFF_SECOND_FACTOR", "offered"),
    ("AUTHSVC_LIMITS", "send.address:7/2m", "AUTHSVC_LIMITS", {"send.address": "7/2m"}),
    ("AUTHSVC_AUDIT_DAYS", "400", "AUTHSVC_AUDIT_DAYS", 400),
    ("HOST", "0.0.0.0", "HOST", "0.0.0.0"),
    ("WEB_THREADS", "3", "WEB_THREADS", 3),
    ("WORKER_THREADS", "4", "WORKER_THREADS", 4),
    ("SWEEP_THREADS", "5", "SWEEP_THREADS", 5),
    ("LOG_LEVEL", "DEBUG", "LOG_LEVEL", "DEBUG"),
    ("LOG_FORMAT", "text", "LOG_FORMAT", "text"),
    ("AUTHSVC_METRICS_NETWORKS", "10.0.0.0/8", "AUTHSVC_METRICS_NETWORKS", (ip_network("10.0.0.0/8"),)),
    ("AUTHSVC_METRICS_TOKEN", "a-token", "AUTHSVC_METRICS_TOKEN", "a-token"),
    ("SENTRY_DSN", "https://key@s.example/1", "SENTRY_DSN", "https://key@s.example/1"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c.example", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://c.example"),
    ("OTEL_SERVICE_NAME", "login", "OTEL_SERVICE_NAME", "login"),
    ("METRICS_PORT", "9100", "METRICS_PORT", 9100),
    ("METRICS_ADDRESS", "0.0.0.0", "METRICS_ADDRESS", "0.0.0.0"),
]  # fmt: skip
NAMES = [name for name, *_ in RIGHT]

_NUMBER = "must be a whole number from {} to {}"
_URL = "must be a URL of https:// or http://, host and path, without user, query, fragment or blanks"
_CIDRS = "must be a comma-separated list of CIDRs"
_PAIRS = "must be entries such as name:value, each name once"
_ADDRESS = "must be an IP address such as 127.0.0.1 or 0.0.0.0"
# variable, wrong texts, and what the line says after its name
WRONG: list[tuple[str, list[str], str]] = [
    ("AUTHSVC_MODE", ["prod", "Production", "live"], "must be one of production, demo, test"),
    ("DEBUG", ["1", "yes", "True"], "must be one of true, false"),
    ("AUTHSVC_PGBOUNCER", ["1", "on"], "must be one of true, false"),
    ("AUTHSVC_OTP_KEYS", ["secretkey", "a:c2hvcnQ=", "a:not base64", ":eA=="], _PAIRS),
    ("ALLOWED_HOSTS", ["https://a.example", "a.example:80", "*.a.example"],
     "must be host names without scheme, port or path, comma-separated"),
    ("AUTHSVC_TRUSTED_PROXIES", ["everyone", "10.0.0.0/33", "10.0.0.1-10.0.0.9"], _CIDRS),
    ("AUTHSVC_METRICS_NETWORKS", ["localhost", "::/129"], _CIDRS),
    ("AUTHSVC_PUBLIC_URL", ["login.example.com", "https://a.example/login", "https://u:secret@a.example"],
     "must be https:// and a host, with no path, query or user"),
    ("DATABASE_URL", ["mysql://u:secret@h/d", "postgres:/h/d", "secret"], "must start with postgres:// or sqlite:///"),
    ("DATABASE_URL", ["postgres://u:se/cret@h/d", "postgres://u:se#cret@h/d", "postgres://h:1x/d", "postgres://[::1/d"],
     "must start with postgres:// or sqlite:///; / ? # and @ in a password are %2F %3F %23 and %40"),
    ("DATABASE_POOL", ["0", "1001", "many"], _NUMBER.format(1, 1000)),
    ("REDIS_URL", ["http://r.example", "r.example:6379", "//r.example", "amqp://u:secret@r.example"],
     "must start with redis://, rediss:// or redis+sentinel://"),
    ("CELERY_BROKER_URL", ["memory://", "filesystem://", "b.example", "http://u:secret@b"],
     "must name a server: amqp:// or redis://"),
    ("WHATSAPP_API_URL", ["graph.example", "https://g.example/?token=secret"], _URL),
    ("TWILIO_API_URL", ["ftp://t.example", "https://u:secret@t.example"], _URL),
    ("SIMULATOR_URL", ["127.0.0.1:9009", "http://"], _URL),
    ("AUTHSVC_API_URLS", ["https", "a:1,a:2"], _PAIRS),
    ("AUTHSVC_LIMITS", ["send.address", "a:1/1h,a:2/1h"], _PAIRS),
    ("AUTHSVC_AUDIT_DAYS", ["29", "3651", "a year"], _NUMBER.format(30, 3650)),
    ("HOST", ["everywhere", "127.0.0.1:8000"], _ADDRESS),
    ("METRICS_ADDRESS", ["everywhere", "127.0.0.1:9100"], _ADDRESS),
    ("WEB_THREADS", ["0", "257", "1.5"], _NUMBER.format(1, 256)),
    ("WORKER_THREADS", ["0", "1025", "-1"], _NUMBER.format(1, 1024)),
    ("SWEEP_THREADS", ["0", "1025", "a few"], _NUMBER.format(1, 1024)),
    ("METRICS_PORT", ["-1", "65536", "http"], _NUMBER.format(0, 65535)),
    ("LOG_LEVEL", ["debug", "TRACE", "10"], "must be one of DEBUG, INFO, WARNING, ERROR"),
    ("LOG_FORMAT", ["JSON", "plain"], "must be one of json, text"),
    ("AUTHSVC_STAFF_SECOND_FACTOR", ["true", "Required"], "must be one of required, offered"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "expression", "expected"), RIGHT, ids=NAMES)
def test_a_right_value_is_read(
    name: str, text: str, expression: str, expected: object, loader: Environments
) -> None:
    assert loader.value(expression, **{name: text}) == repr(expected)


@pytest.mark.parametrize(
    ("name", "text", "rule"), [(name, text, rule) for name, texts, rule in WRONG for text in texts]
)
def test_a_wrong_value_stops_the_start_with_one_line(
    name: str, text: str, rule: str, loader: Environments
) -> None:
    """It names the variable and the rule, and never shows the value, which may be a password."""
    assert loader.refusal(**{name: text}) == f"{name} {rule}"


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_one_counts_as_none(name: str, loader: Environments) -> None:
    without = {other: text for other, text in PRODUCTION.items() if other != name}

    assert loader.load(without | {name: ""}) == loader.load(without)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, text, *_ in RIGHT])
def test_a_file_may_hold_it(name: str, text: str, loader: Environments, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{text}\n")
    without = {other: value for other, value in PRODUCTION.items() if other != name}

    assert loader.load(without | {f"{name}_FILE": str(file)}) == loader.load(without | {name: text})


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_away_stops_the_start(name: str, loader: Environments, tmp_path: Path) -> None:
    without = {other: text for other, text in PRODUCTION.items() if other != name}

    answer = loader.load(without | {f"{name}_FILE": str(tmp_path / "away")}, ["MODE"])

    assert answer == {"refusal": f"{name}_FILE: cannot be read"}


def test_the_example_and_the_contract_name_what_is_tested_here() -> None:
    example = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert set(example) == {*NAMES, *OF_PROCESSES}
    assert len(example) == len(set(example))
