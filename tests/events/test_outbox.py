"""The outbox: what is written with what it tells of, posted until it is taken, and signed as anybody can check."""

import base64
import hmac
import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.fernet import Fernet
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from core import config_version
from events import policy, services, signing
from events.models import Endpoint, Event, EventType, new_secret
from scripts.services import free_port
from tests import factories

pytestmark = pytest.mark.django_db
ALL = [item.value for item in EventType]


@dataclass
class Receiver:
    """Somebody's server: answers `status`, keeps what came. `statuses` and `delays` are of paths that end so."""

    status: int = 204
    delay: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    posts: list[tuple[dict[str, str], str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            found.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
            found.paths.append(self.path)
            ending = self.path.removeprefix("/events")
            time.sleep(found.delays.get(ending, found.delay))
            self.send_response(found.statuses.get(ending, found.status))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/events"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def endpoint(url: str, project_id: uuid.UUID, **fields: object) -> Endpoint:
    return Endpoint.objects.create(**({"project_id": project_id, "url": url, "types": ALL} | fields))


def record(project_id: uuid.UUID) -> Event:
    services.record(type=EventType.SENDER_ALERT, project_ids=[project_id], data={"channel": "sms"})
    return Event.objects.latest("id")


def later(event: Event, seconds: float) -> None:
    """As if this much time had passed for it."""
    Event.objects.filter(id=event.id, due_at__isnull=False).update(
        due_at=Event.objects.get(id=event.id).due_at - timedelta(seconds=seconds)  # type: ignore[operator] # not null
    )


def checks(secret: str, headers: dict[str, str], body: str) -> bool:
    """As the specification tells a receiver to do it."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    expected = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, "sha256")
    version, _, given = headers["webhook-signature"].partition(",")
    return version == "v1" and hmac.compare_digest(base64.b64decode(given), expected)


def test_an_event_is_posted_once_and_signed(receiver: Receiver) -> None:
    project = factories.make_project()
    target = endpoint(receiver.url, project.id)
    event = record(project.id)

    assert services.post_due(seconds=5) == 1
    assert services.post_due(seconds=5) == 0

    ((headers, body),) = receiver.posts
    said = json.loads(body)
    assert checks(target.secret, headers, body)
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 10
    assert (headers["webhook-id"], headers["content-type"]) == (str(event.id), "application/json")
    assert (said["type"], said["data"]) == ("sender.alert", {"channel": "sms"})
    event.refresh_from_db()
    assert (event.outcome, event.tries, event.due_at) == ("204", 1, None)
    assert event.delivered_at


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of Standard Webhooks' own test vectors."""
    found = signing.headers(
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        event_id="msg_p5jXN8AQM9LWM0D4loKWxJek",  # type: ignore[arg-type] # their ids are no UUIDs
        timestamp=1614265330,
        body='{"test": 2432232314}',
    )

    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 503])
def test_what_is_not_taken_is_posted_again_with_the_same_id_and_body(status: int, receiver: Receiver) -> None:
    project = factories.make_project()
    endpoint(receiver.url, project.id)
    event = record(project.id)
    receiver.status = status
    services.post_due(seconds=5)
    event.refresh_from_db()
    assert (event.outcome, event.delivered_at) == (str(status), None)
    assert event.due_at
    assert event.due_at > timezone.now()
    assert services.post_due(seconds=5) == 0

    later(event, 10)
    receiver.status = 200
    services.post_due(seconds=5)

    assert len(receiver.posts) == 2
    assert receiver.posts[0][0]["webhook-id"] == receiver.posts[1][0]["webhook-id"]
    assert receiver.posts[0][1] == receiver.posts[1][1]
    event.refresh_from_db()
    assert event.delivered_at


def test_an_unreachable_endpoint_is_tried_for_more_than_a_day() -> None:
    project = factories.make_project()
    endpoint(f"http://127.0.0.1:{free_port()}/", project.id)
    event = record(project.id)
    waits = []
    while True:
        services.post_due(seconds=5)
        event.refresh_from_db()
        if event.due_at is None:
            break
        waits.append((event.due_at - timezone.now()).total_seconds())
        later(event, waits[-1] + 1)

    assert event.tries == len(policy.RETRIES) + 1
    assert sum(waits) > 24 * 3600
    assert (event.outcome, event.delivered_at) == ("unavailable", None)


def test_410_deactivates_the_endpoint(receiver: Receiver) -> None:
    project = factories.make_project()
    target = endpoint(receiver.url, project.id)
    record(project.id)
    record(project.id)
    before = config_version.current()
    receiver.status = 410

    services.post_due(seconds=5)

    target.refresh_from_db()
    assert not target.is_active
    assert len(receiver.posts) == 1
    assert config_version.current() > before, "no process goes on writing events that nobody wants"
    assert not Event.objects.filter(due_at__isnull=False).exists()
    assert services.record(type=EventType.SENDER_ALERT, project_ids=[project.id], data={}) == 0


def test_only_endpoints_that_want_it_get_it(receiver: Receiver) -> None:
    project = factories.make_project()
    other = factories.make_project(slug="other", is_default=False, senders=False)
    endpoint(receiver.url, project.id, types=["sender.alert_over"])
    endpoint(receiver.url + "/off", project.id, is_active=False)
    endpoint(receiver.url, other.id)

    assert services.record(type=EventType.SENDER_ALERT, project_ids=[project.id], data={}) == 0
    assert services.record(type=EventType.SENDER_ALERT, project_ids=[project.id, other.id], data={}) == 1


def test_an_event_is_stored_together_with_what_it_reports(receiver: Receiver) -> None:
    project = factories.make_project()
    endpoint(receiver.url, project.id)

    class Undone(Exception):
        pass

    def half_way() -> None:
        with transaction.atomic():
            record(project.id)
            raise Undone

    with pytest.raises(Undone):
        half_way()

    assert not Event.objects.exists()


def test_an_unreadable_secret_does_not_stop_other_endpoints(receiver: Receiver, settings: Settings) -> None:
    project = factories.make_project()
    endpoint(receiver.url + "/lost", project.id)
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    endpoint(receiver.url, project.id)
    record(project.id)

    assert services.post_due(seconds=5) == 2

    assert set(Event.objects.values_list("outcome", flat=True)) == {"unreadable secret", "204"}


def test_a_replay_has_a_fresh_set_of_tries(receiver: Receiver) -> None:
    project = factories.make_project()
    target = endpoint(receiver.url, project.id)
    event = record(project.id)
    services.post_due(seconds=5)

    assert services.replay([event.id]) == 1
    services.post_due(seconds=5)
    assert len(receiver.posts) == 2

    Endpoint.objects.filter(id=target.id).update(is_active=False)
    assert services.replay([event.id]) == 0


def test_old_events_are_deleted_and_young_ones_stay(receiver: Receiver) -> None:
    from core.ids import oldest_id_at

    project = factories.make_project()
    endpoint(receiver.url, project.id)
    event = record(project.id)
    Event.objects.filter(id=event.id).update(id=oldest_id_at(timezone.now() - timedelta(days=31)))
    young = record(project.id)

    assert services.purge() == {"events": 1}
    assert list(Event.objects.values_list("id", flat=True)) == [young.id]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_several_workers_post_each_event_once(receiver: Receiver) -> None:
    project = factories.make_project()
    endpoint(receiver.url, project.id)
    for _ in range(20):
        record(project.id)
    receiver.delay = 0.05

    def work() -> None:
        try:
            services.post_due(seconds=10)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ids = [headers["webhook-id"] for headers, _ in receiver.posts]
    assert len(ids) == len(set(ids)) == 20


def test_secrets_are_long_and_encrypted() -> None:
    project = factories.make_project()
    target = endpoint("https://app.example/events", project.id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM events_endpoint")
        stored = cursor.fetchone()[0]

    assert target.secret not in stored
    assert len(base64.b64decode(new_secret().removeprefix("whsec_"))) == 32
