"""Runs a command with DATABASE_URL and REDIS_URL of real servers: `scripts/with_services.py COMMAND …`."""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts import services

if __name__ == "__main__":
    with services.postgres() as database_url, services.redis() as redis_url:
        environment = {**os.environ, "DATABASE_URL": database_url, "REDIS_URL": redis_url + "/7"}
        sys.exit(subprocess.run(sys.argv[1:], env=environment, check=False).returncode)
