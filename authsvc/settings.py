"""All settings, from the environment (a `.env` file is read when present). README and `.env.example` list them.

Defaults are safe: in production a missing secret stops the start, an unset channel is off. Nothing here exists
in one mode only; modes differ in defaults.
"""

import base64
import hashlib
import hmac
import os
import sys
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from authsvc import broker, env, pool
from authsvc.admin_site import UNFOLD  # noqa: F401 # a setting
from authsvc.logging import logging_config
from authsvc.oauth import *  # noqa: F403 # settings
from authsvc.queues import *  # noqa: F403 # settings
from authsvc.rest import *  # noqa: F403 # settings

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = "pytest" in sys.modules

if not TESTING:
    env.load_dotenv(BASE_DIR / ".env")

MODE = env.choice("AUTHSVC_MODE", ("production", "demo", "test"), "test" if TESTING else "production")
PRODUCTION = MODE == "production"
DEBUG = env.boolean("DEBUG", default=False)

# Where files that are not code are kept: the SQLite database, what the demo generates.
VAR_DIR = Path(env.text("AUTHSVC_VAR", str(BASE_DIR / "var")))

# Secrets ------------------------------------------------------------------------------------------

SECRET_KEY = env.text("SECRET_KEY", "" if PRODUCTION else "not-secret-" + MODE * 10)
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")


def _derived(purpose: str) -> dict[str, bytes]:
    """One 32-byte key for each Django secret, newest first, named by a digest of itself."""
    keys = (
        hmac.digest(secret.encode(), f"authsvc:{purpose}".encode(), "sha256")
        for secret in (SECRET_KEY, *SECRET_KEY_FALLBACKS)
    )
    return {hashlib.sha256(key).hexdigest()[:8]: key for key in keys}


def _otp_key(value: str) -> bytes:
    key = base64.b64decode(value, validate=True)
    if len(key) < 32:
        raise ValueError
    return key


# Key id → key. The first makes new codes, all of them verify.
AUTHSVC_OTP_KEYS = env.pairs("AUTHSVC_OTP_KEYS", _otp_key) or _derived("otp")
# Fernet keys for provider secrets: the first encrypts, all decrypt.
AUTHSVC_ENCRYPTION_KEYS = env.words("AUTHSVC_ENCRYPTION_KEYS") or [
    base64.urlsafe_b64encode(key).decode() for key in _derived("encryption").values()
]

# PEM or path of the key that signs tokens; without one it is made at first need (oidc.keys).
AUTHSVC_OIDC_KEY = env.text("AUTHSVC_OIDC_KEY")

# Where we are -------------------------------------------------------------------------------------

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", () if PRODUCTION else (*LOCAL_HOSTS, "testserver"))
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
AUTHSVC_TRUSTED_PROXIES = env.networks("AUTHSVC_TRUSTED_PROXIES")
AUTHSVC_PUBLIC_URL = env.url("AUTHSVC_PUBLIC_URL")

if PRODUCTION:
    if len(SECRET_KEY) < 40 or len(set(SECRET_KEY)) < 8:
        raise ImproperlyConfigured(
            "SECRET_KEY is missing or weak: set at least 40 random characters, "
            "for example from: python -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
    if DEBUG:
        raise ImproperlyConfigured("DEBUG must not be on in production: unset it, or set AUTHSVC_MODE=demo")
    if not ALLOWED_HOSTS:
        raise ImproperlyConfigured(
            "ALLOWED_HOSTS is empty: name the hosts that serve the login pages, comma-separated"
        )

# Providers ----------------------------------------------------------------------------------------

WHATSAPP_API_URL = env.url("WHATSAPP_API_URL", "https://graph.facebook.com/v26.0")
TWILIO_API_URL = env.url("TWILIO_API_URL", "https://api.twilio.com")
# Where the pretend handsets live (demo and test only); empty: /demo/phone/ does not exist.
SIMULATOR_URL = env.url("SIMULATOR_URL", "http://127.0.0.1:9009" if MODE == "demo" else "")

# Limits: amount/period for each name of otp.limits.DEFAULT_RULES, e.g. "send.address:60/10m".
AUTHSVC_LIMITS = env.pairs("AUTHSVC_LIMITS", str)

# Storage ------------------------------------------------------------------------------------------

REDIS_URL = env.text("REDIS_URL")
# One machine and one process: Celery's worker and beat run in threads of the web process.
EMBEDDED = not REDIS_URL and not env.text("CELERY_BROKER_URL") and not TESTING

# Messages that a worker sends side by side; in the sweep for what is overdue; both are mostly waiting for providers.
WORKER_THREADS = env.integer("WORKER_THREADS", 8 if EMBEDDED else 32, minimum=1, maximum=1024)
SWEEP_THREADS = env.integer("SWEEP_THREADS", 1 if TESTING else 4 if EMBEDDED else 16, minimum=1, maximum=1024)
WEB_THREADS = env.integer("WEB_THREADS", 8, minimum=1, maximum=256)
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{VAR_DIR / 'authsvc.sqlite3'}")}
_options: dict[str, object] = DATABASES["default"].setdefault("OPTIONS", {})  # type: ignore[assignment] # always a dict
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    _options |= {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # A file, so that threads of a test are real connections with real locks.
    DATABASES["default"]["TEST"] = {
        "NAME": str(Path(tempfile.gettempdir()) / f"authsvc-test-{os.getpid()}.sqlite3")
    }
else:
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
    # PgBouncer refuses start-up options (the limits belong to the role then: docs/operations.md) and hands each
    # transaction to another connection, so nothing may be prepared on one.
    if not env.boolean("AUTHSVC_PGBOUNCER", default=False):
        _options |= pool.OF_ONE_SESSION | _options
    _options.setdefault("connect_timeout", "3")
    _options.setdefault("application_name", "authsvc")
    if not TESTING:  # the test runner needs plain connections that it can close
        _options["pool"] = pool.options(threads=env.integer("DATABASE_POOL", 16, minimum=1, maximum=1000))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# Celery -------------------------------------------------------------------------------------------

# The bell may be lost without harm (the sweep finds the delivery), so publishing gives up quickly.
CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT_OPTIONS = broker.read(
    env.text("CELERY_BROKER_URL", REDIS_URL or "memory://localhost/")
)

# Applications -------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "authsvc.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "projects",
    "users",
    "channels",
    "events",
    "otp",
    "webhooks",
    "oauth2_provider",
    "oidc",
    "api",
    "login",
    "authsvc.apps.AuthsvcConfig",
]
MIDDLEWARE = [
    "authsvc.tracing.RequestContextMiddleware",
    "authsvc.middleware.TrustedProxyMiddleware",
    "authsvc.probes.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "authsvc.shortcut.ApiMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "authsvc.urls"
WSGI_APPLICATION = "authsvc.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Users, sessions and cookies ----------------------------------------------------------------------

AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
if TESTING:  # staff are made in hundreds of tests; a real hasher costs a third of a second each
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/account/"

# `__Host-` cookies need https; plain http is for this machine only (the demo, or a loopback public URL).
INSECURE_HTTP = not PRODUCTION or AUTHSVC_PUBLIC_URL.startswith(("http://localhost", "http://127.0.0.1"))
_prefix = "" if INSECURE_HTTP else "__Host-"
SESSION_ENGINE = "login.sessions"
SESSION_COOKIE_NAME = f"{_prefix}sessionid"
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_SECURE = not INSECURE_HTTP
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{_prefix}csrftoken"
CSRF_COOKIE_SECURE = not INSECURE_HTTP
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "login.views.csrf_failure"
LOGIN_COOKIE_NAME = f"{_prefix}login"
LANGUAGE_COOKIE_NAME = f"{_prefix}language"
LANGUAGE_COOKIE_SECURE = not INSECURE_HTTP
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"

SECURE_SSL_REDIRECT = False  # the proxy's work; health checks and providers come as they are
SECURE_HSTS_SECONDS = 0 if INSECURE_HTTP else 63_072_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not INSECURE_HTTP
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

# Languages, static files, logs --------------------------------------------------------------------

TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
# Those with a catalogue of the pages under locale/; SMS texts and WhatsApp templates know more.
LANGUAGES = [
    ("ar", _("Arabic")),
    ("en", _("English")),
    ("es", _("Spanish")),
    ("pt-br", _("Portuguese")),
    ("zh-hant", _("Chinese (traditional)")),
]
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

WHITENOISE_AUTOREFRESH = TESTING  # tests collect no static files

# Who may read /metrics: networks, or whoever brings the token.
AUTHSVC_METRICS_NETWORKS = env.networks(
    "AUTHSVC_METRICS_NETWORKS", () if PRODUCTION else ("127.0.0.0/8", "::1/128")
)
AUTHSVC_METRICS_TOKEN = env.text("AUTHSVC_METRICS_TOKEN")
# A worker without a web server beside it shows what it counted here; 0: nowhere.
METRICS_PORT = env.integer("METRICS_PORT", 0, minimum=0, maximum=65535)
METRICS_ADDRESS = env.text("METRICS_ADDRESS", "127.0.0.1")

# Optional, see authsvc.telemetry. OpenTelemetry reads its other OTEL_ variables by itself.
SENTRY_DSN = env.text("SENTRY_DSN")
OTEL_EXPORTER_OTLP_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_ENDPOINT")
OTEL_SERVICE_NAME = env.text("OTEL_SERVICE_NAME", "authsvc")

LOG_FORMAT = env.choice("LOG_FORMAT", ("json", "text"), "json" if PRODUCTION else "text")
LOG_LEVEL = env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
LOGGING_CONFIG = None
if not TESTING:
    # What a command of an operator prints is its answer; its log goes beside it.
    _is_command = Path(sys.argv[0]).name == "manage.py" and not {"serve", "demo"} & set(sys.argv[1:2])
    logging_config(level=LOG_LEVEL, json=LOG_FORMAT == "json", stream="stderr" if _is_command else "stdout")
