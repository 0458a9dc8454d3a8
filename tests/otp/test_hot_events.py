"""What events cost on PostgreSQL: nothing where nobody wants them, one INSERT more where somebody does."""

import uuid

import pytest

from channels import rehearsals
from channels.errors import SendError
from channels.types import Channel, FailureReason, Status
from core import config_version
from core.ids import new_id
from core.redis import redis_client
from events import services as events
from events.models import Event, EventType
from events.subscriptions import subscriptions
from otp import fallback, send, services
from otp.errors import WrongCode
from otp.models import Challenge, Delivery
from projects.config import ProjectConfig
from tests import factories
from tests.budgets.spending import counted_round_trips
from tests.otp.conftest import Providers, QueuedTasks, Start, verify
from tests.statements import statements

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
WANTED = [EventType.LOGIN_SUCCEEDED, EventType.DELIVERY_FAILED, EventType.FALLBACK_SENT]


@pytest.fixture(params=["this project's", "another project's", "for other events", "none"])
def wanted(request: pytest.FixtureRequest, project: ProjectConfig) -> bool:
    """Whether this project has an URL for what happens here."""
    if request.param == "this project's":
        factories.make_endpoint(project, *WANTED)
    elif request.param == "another project's":
        other = factories.make_project(slug="other", is_default=False)
        factories.make_endpoint(other, *WANTED)
    elif request.param == "for other events":
        factories.make_endpoint(project, EventType.SENDER_ALERT)
    subscriptions.get()
    rehearsals.places()
    return bool(request.param == "this project's")


def hot(sent: list[str]) -> list[str]:
    """Its own statements, by their first word and table."""
    words = [line.replace('"', "").split() for line in sent if "config" not in line]
    return [
        " ".join(found[:3]) if found[0] == "INSERT" and "events_event" in found[2] else found[0]
        for found in words
    ]


def more(wanted: bool) -> list[str]:
    return ["INSERT INTO events_event"] if wanted else []


def judgement(wanted: bool = False) -> list[str]:
    """In a transaction with the event where any project wants that of logins; else by itself."""
    if events.is_wanted(EventType.LOGIN_SUCCEEDED):
        return ["BEGIN", "WITH", *more(wanted), "COMMIT"]
    return ["WITH"]


def test_a_login(wanted: bool, start: Start) -> None:
    challenge_id = start()
    code = factories.code_of(challenge_id)

    with statements() as sent:
        verify(challenge_id, code)

    assert hot(sent) == judgement(wanted)
    assert Event.objects.count() == wanted


def test_a_login_asks_redis_once(wanted: bool, start: Start) -> None:
    assert redis_client(), "PostgreSQL is tested with Redis"
    challenge_id = start()
    code = factories.code_of(challenge_id)

    with config_version.pinned(), counted_round_trips() as trips:  # pinned, as every request is
        verify(challenge_id, code)

    assert trips == [1]


def test_a_wrong_code(wanted: bool, start: Start) -> None:
    challenge_id = start()
    code = factories.wrong_code(challenge_id)

    with statements() as sent, pytest.raises(WrongCode):
        verify(challenge_id, code)

    assert hot(sent) == judgement()


def test_reports_without_a_failure(
    wanted: bool, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    start()
    queued.run()
    item = Delivery.objects.get()

    with statements() as sent:
        services.record_status_updates([factories.report(item, Status.SENT)] * 10)

    assert hot(sent) == ["WITH"]


# How reports are recorded together with the events that are made of them.
IN_A_TRANSACTION = ["BEGIN", "SAVEPOINT", "WITH", "RELEASE"]


@pytest.mark.parametrize("size", [1, 20])
def test_a_batch_of_failures(
    size: int, wanted: bool, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    for nth in range(size):
        start(f"+852512341{nth:02}", address=f"198.51.100.{nth}")
    queued.run()
    batch = [factories.report(item, Status.FAILED) for item in Delivery.objects.all()]

    with statements() as sent:
        services.record_status_updates(batch)

    if wanted:
        assert hot(sent) == [*IN_A_TRANSACTION, "SELECT", "INSERT INTO events_event", "COMMIT"]
    else:
        # Whether they belong to a project that wants it is known only afterwards.
        assert hot(sent) in (["WITH"], [*IN_A_TRANSACTION, "SELECT", "COMMIT"])
    assert Event.objects.count() == size * wanted


def many_deliveries(like: Delivery, count: int) -> list[uuid.UUID]:
    """Copies of a delivery, each with a challenge of its own."""

    def columns(row: Delivery | Challenge) -> dict[str, object]:
        return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}

    challenges = [
        Challenge(**{**columns(like.challenge), "id": new_id(), "start_key": None}) for _ in range(count)
    ]
    Challenge.objects.bulk_create(challenges)
    copies = [
        Delivery(**{**columns(like), "id": new_id(), "challenge_id": item.id, "provider_message_id": ""})
        for item in challenges
    ]
    Delivery.objects.bulk_create(copies)
    return [item.id for item in copies]


def test_five_hundred_failures_cost_as_many_statements_as_one(
    project: ProjectConfig, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    factories.make_endpoint(project)
    subscriptions.get()
    start()
    queued.run()
    keys = many_deliveries(Delivery.objects.get(), 500)
    batch = [factories.report(item, Status.FAILED) for item in Delivery.objects.filter(id__in=keys)]

    with statements() as sent:
        services.record_status_updates(batch)

    assert hot(sent) == [*IN_A_TRANSACTION, "SELECT", "INSERT INTO events_event", "COMMIT"]
    assert Event.objects.count() == 500
    assert {data["delivery_id"] for _, data in factories.told()} == {str(key) for key in keys}


def test_a_refused_message(wanted: bool, start: Start, queued: QueuedTasks, providers: Providers) -> None:
    providers.fail(Channel.WHATSAPP, SendError(FailureReason.REFUSED))
    start()
    item = Delivery.objects.get()

    with statements() as sent:
        send.send_delivery(delivery_id=item.id)

    inserts = [line for line in hot(sent) if line == "INSERT INTO events_event"]
    assert len(inserts) == (2 if wanted else 0)
    assert not [line for line in sent if "SAVEPOINT" in line]


def test_a_fallback(wanted: bool, start: Start, queued: QueuedTasks, providers: Providers) -> None:
    challenge_id = start()
    queued.run()
    item = Delivery.objects.get(challenge_id=challenge_id)
    services.record_status_updates([factories.report(item, Status.FAILED)])

    with statements() as sent:
        fallback.fall_back(delivery_id=item.id)

    assert hot(sent).count("INSERT INTO events_event") == wanted
    assert not [line for line in sent if "events_endpoint" in line and "INSERT" not in line]
