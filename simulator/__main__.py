"""`python -m simulator`: serve until SIGTERM or SIGINT."""

import argparse
import errno
import logging
import os
import signal
import sys
import threading

from simulator.accounts import Accounts
from simulator.server.http_server import Server
from simulator.server.simulator import Simulator

logger = logging.getLogger("simulator")

STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def main() -> int | str:
    """The exit code; a text is printed to stderr as one line and exits with 1."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it writes every URL
    # Blocked before any thread exists, so that all inherit it and only the wait below takes the signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    simulator = Simulator(accounts=Accounts.from_env(os.environ), webhook_url=options.webhook_url)
    try:
        server = Server((options.host, options.port), simulator)
    except OSError as error:
        simulator.close()
        reason = "the port is taken" if error.errno == errno.EADDRINUSE else error.strerror
        return f"cannot listen on {options.host}:{options.port}: {reason}"
    _serve(server)
    return 0


def _serve(server: Server) -> None:
    thread = threading.Thread(target=server.serve_forever, name="server")
    thread.start()
    logger.info("listening on http://%s:%d", *server.server_address[:2])
    signal.sigwait(STOP_SIGNALS)
    server.close()
    thread.join()
    logger.info("stopped")


def _options() -> argparse.Namespace:
    environ = os.environ
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--host", default=environ.get("SIMULATOR_HOST") or "127.0.0.1")
    parser.add_argument("--port", type=int, default=environ.get("SIMULATOR_PORT") or "9009")
    parser.add_argument(
        "--webhook-url",
        default=environ.get("SIMULATOR_WEBHOOK_URL") or "http://localhost:8000/whatsapp/webhook",
        help="where Meta's reports are posted",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
