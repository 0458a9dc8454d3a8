"""What a post to `/whatsapp/webhook` may cost before it is known to be genuine (P4)."""

import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from channels.models import Sender
from tests.webhooks import support
from tests.webhooks.conftest import HandedOver
from tests.webhooks.whatsapp import PATH, make_sender, post
from webhooks.errors import Untrusted
from webhooks.meta import WEBHOOK, authentication
from webhooks.views import view_of

pytestmark = pytest.mark.django_db
FOUR_MEGABYTES = 4 * 1024 * 1024
HEAD = b'{"object":"whatsapp_business_account","entry":['


def filled(unit: bytes) -> bytes:
    """A body of four megabytes of one thing; JSON, as far as it goes."""
    count = (FOUR_MEGABYTES - len(HEAD) - 2) // (len(unit) + 1)
    return HEAD + b",".join([unit] * count) + b"]}"


BODIES = {
    "entries": filled(b"{}"),
    "accounts": filled(b'{"id":"1"}'),
    "our account": filled(b'{"id":"%s","changes":[{}]}' % support.ACCOUNT.encode()),
    "ids": filled(b'"id":"1"'),
    "quotes": b'"' * FOUR_MEGABYTES,
    "spaces after a name": b'"id"' + b" " * (FOUR_MEGABYTES - 4),
    "nesting": b"[" * FOUR_MEGABYTES,
}


class Once:
    """A body as a server hands it over: counted, readable once."""

    def __init__(self, body: bytes) -> None:
        self.body, self.taken, self.reads = body, 0, 0

    def read(self, size: int = -1) -> bytes:
        self.reads += 1
        piece = self.body[self.taken :] if size < 0 else self.body[self.taken : self.taken + size]
        self.taken += len(piece)
        return piece

    readline = read


def request(body: bytes, signature: str) -> tuple[WSGIRequest, Once]:
    made = RequestFactory().generic("POST", PATH, b"", "application/json")
    stream = Once(body)
    environ = dict(made.environ) | {"CONTENT_LENGTH": str(len(body)), "wsgi.input": stream}
    if signature:
        environ["HTTP_X_HUB_SIGNATURE_256"] = signature
    return WSGIRequest(environ), stream


@pytest.fixture
def sender(db: None) -> Sender:
    return make_sender()


@pytest.fixture
def unparsed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = json.loads

    def loads(text: Any, **options: Any) -> Any:
        assert len(text) < 100_000, "the body was parsed"  # the database's own values are small
        return real(text, **options)

    monkeypatch.setattr(json, "loads", loads)


@pytest.mark.parametrize("signature", ["", "sha256=", "sha1=" + "0" * 40, "sha256=" + "Z" * 64, "x" * 71])
def test_without_a_well_formed_signature_nothing_is_read(signature: str, sender: Sender) -> None:
    """P4: refused unread."""
    unsigned, stream = request(BODIES["entries"], signature)

    assert view_of(WEBHOOK)(unsigned).status_code == 401
    assert (stream.reads, stream.taken) == (0, 0)


def test_a_body_that_announces_too_much_is_not_read(sender: Sender) -> None:
    """P4."""
    large, stream = request(b"x" * (FOUR_MEGABYTES + 1), "sha256=" + "0" * 64)

    assert view_of(WEBHOOK)(large).status_code == 413
    assert stream.reads == 0


# What a busy machine may add to a few milliseconds of hashing, in seconds. Parsing such a body takes 0.25 and more.
NOISE = 0.1


def seconds(act: Callable[[], object]) -> float:
    """The least CPU time of a few runs."""
    taken = []
    for _ in range(3):
        begun = time.thread_time()
        act()
        taken.append(time.thread_time() - begun)
    return min(taken)


@pytest.mark.parametrize("name", BODIES)
def test_a_forged_body_costs_its_hash(name: str, sender: Sender, unparsed: None) -> None:
    """P4: 401 after no more work than reading and hashing it. It was 3.6 s and 340 MB."""
    body, forged = BODIES[name], "sha256=" + "0" * 64
    hashing = seconds(
        lambda: [authentication.sign(secret, body) for secret in (support.SECRET, support.OTHER_SECRET)]
    )

    def refuse() -> None:
        assert view_of(WEBHOOK)(request(body, forged)[0]).status_code == 401

    refuse()  # senders are in memory from here on
    assert seconds(refuse) < hashing * 2 + NOISE
    tracemalloc.start()
    refuse()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < len(body) + 1_000_000


@pytest.mark.parametrize("name", BODIES)
def test_with_very_many_apps_it_costs_sixteen_hashes(name: str, db: None, unparsed: None) -> None:
    """P4: the body is searched for the accounts it names, once."""
    body, forged = BODIES[name], "sha256=" + "0" * 64
    senders = [
        support.sender(business_account_id=f"{n}", phone_number_id=f"9{n}", app_secrets=(f"secret {n}",))
        for n in range(300)
    ]

    def refuse() -> None:
        with pytest.raises(Untrusted):
            authentication.authenticate(body, signature=forged, senders=senders)

    sign = mock.Mock(wraps=authentication.sign)
    with mock.patch.object(authentication, "sign", sign):
        refuse()
    assert sign.call_count == authentication.MOST_SECRETS

    hashing = seconds(lambda: authentication.sign(support.SECRET, body))
    assert seconds(refuse) < hashing * (authentication.MOST_SECRETS + 2) + NOISE


def test_a_forger_makes_the_database_work_once_in_a_while(sender: Sender, handed_over: HandedOver) -> None:
    """P4: what is written because of an unsigned post is one number in one row, every few seconds."""
    body = support.reporting(support.status())
    post(body, secret="guessed")

    with CaptureQueriesContext(connection) as queries:
        for _ in range(50):
            assert post(body, secret="guessed").status_code == 401

    assert [query["sql"] for query in queries if "config" not in query["sql"]] == []
