"""For container health checks: exit 0 when this machine's web server (PORT), or the address given, answers 200."""

import os
import sys
from urllib.error import URLError
from urllib.request import urlopen

address = sys.argv[1] if len(sys.argv) > 1 else f"http://127.0.0.1:{os.environ.get('PORT') or 8000}/healthz"
try:
    with urlopen(address, timeout=2) as answer:  # our own loopback
        sys.exit(0 if answer.status == 200 else 1)
except (URLError, OSError) as error:
    sys.exit(f"{address}: {error}")
