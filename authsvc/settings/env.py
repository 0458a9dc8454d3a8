"""What the installation is: its mode, its folders, and whether it is one process. Every other module of settings
imports this one first, because it reads `.env`."""

import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from core import env
from core.redis import SENTINEL

BASE_DIR = Path(__file__).resolve().parent.parent.parent
TESTING = "pytest" in sys.modules

if not TESTING:
    env.load_dotenv(BASE_DIR / ".env")

MODE = env.choice("AUTHSVC_MODE", ("production", "demo", "test"), "test" if TESTING else "production")
PRODUCTION = MODE == "production"

# Where files that are not code are kept: the SQLite database, what the demo generates.
VAR_DIR = Path(env.text("AUTHSVC_VAR", str(BASE_DIR / "var")))

REDIS_URL = env.text("REDIS_URL")
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", SENTINEL)):
    raise ImproperlyConfigured(f"REDIS_URL must start with redis://, rediss:// or {SENTINEL}")
# One machine and one process: Celery's worker and beat run in threads of the web process.
EMBEDDED = not REDIS_URL and not TESTING
