"""An empty installation in production mode, behind TLS, whose WhatsApp and SMS are played by the simulator behind TLS."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from django.conf import settings

from scripts.services import free_port
from simulator.accounts import Accounts, TwilioAccount, WhatsAppAccount
from tests import databases, tls
from tests.live.site import Site, database
from tests.processes import Ports
from tests.simulator_client import SimulatorClient, start

PASSWORD = "a long enough password"  # made up
# Accounts as they are on the first day: without a template.
META = WhatsAppAccount(
    phone_number_id="106540352242922",
    business_account_id="102290129340398",
    access_token="EAAsystemusertoken",  # made up, as the next
    app_secret="0123456789abcdef0123456789abcdef",
    verified_name="Acme Shop",
    languages=(),
)
TWILIO = TwilioAccount(account_sid="AC0123456789abcdef0123456789abcdef", auth_token="a-token-of-twilio")


@dataclass(frozen=True)
class Installation:
    base: str  # https
    simulator: SimulatorClient

    def enter_at_meta(self, callback_url: str, verify_token: str) -> bool:
        """What people paste into the app's Configuration: whether Meta takes it."""
        self.simulator.add_accounts(webhook_url=callback_url)
        return self.simulator.verify_address(verify_token)


@contextmanager
def _trusting(file: Path) -> Iterator[None]:
    """The simulator, which runs in this process, trusts the certificate of our side."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        yield


@contextmanager
def installation(folder: Path) -> Iterator[Installation]:
    """After `createsuperuser`, the only command. PostgreSQL and Redis are those of this run."""
    file = tls.certificate(folder)
    web, front = free_port(), free_port()
    accounts = Accounts(whatsapp=(META,), twilio=(TWILIO,))
    server, _, number = settings.REDIS_URL.rpartition("/")
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    with (
        database(databases.POSTGRES) as database_url,
        _trusting(file),
        start(
            webhook_url="http://localhost:9/", accounts=accounts
        ) as simulated,  # nothing is entered at Meta yet
        tls.serving(tls.proxy(int(simulated.url.rpartition(":")[2]), file)) as providers,
        tls.serving(tls.proxy(web, file, port=front, headers=headers)) as base,
        redis.Redis.from_url(f"{server}/{int(number) - 4}") as memory,
        SimulatorClient(simulated.url) as simulator,
    ):
        memory.flushdb()
        environment = {
            "AUTHSVC_MODE": "production",
            "AUTHSVC_PUBLIC_URL": base,
            "AUTHSVC_TRUSTED_PROXIES": "127.0.0.1",
            "AUTHSVC_OUTGOING_ALLOW": "127.0.0.0/8,::1/128",
            "AUTHSVC_VAR": str(folder),
            "ALLOWED_HOSTS": "localhost",
            "DATABASE_URL": database_url,
            "REDIS_URL": f"{server}/{int(number) - 4}",
            "SECRET_KEY": "a-secret-key-of-this-test-0123456789-abcdefghij",
            "SSL_CERT_FILE": str(file),
            "PORT": str(web),
            "WHATSAPP_API_URL": f"{providers}/v26.0",
            "TWILIO_API_URL": providers,
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        site = Site(environment, Ports(web=web))
        if not databases.POSTGRES:
            site.run("migrate", "--verbosity", "0")
        site.run("createsuperuser", "--noinput", "--username", "admin")
        with site.served():
            yield Installation(base, simulator)
        memory.flushdb()
