"""What a login costs on PostgreSQL: statements counted as the server sees them, and plans without table scans."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from channels import rehearsals
from channels.senders import senders
from channels.types import FailureReason, Status
from core import sql
from core.ids import new_id
from core.redis import redis_client
from events.subscriptions import subscriptions
from otp import policy, send, services
from otp.models import Challenge, Delivery, PhoneRecord
from otp.store import claim as claim_store
from otp.store import due as sweep
from otp.store import unreported
from otp.types import Verified
from projects.config import projects
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, verify
from tests.otp.plans import plan_of, remember_a_quiet_year
from tests.statements import statements

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _postgres() -> None:
    assert connection.vendor == "postgresql", "these tests are deselected on other databases"


def start(number: str = factories.PHONE) -> uuid.UUID:
    return services.start_challenge(
        project=projects.get().by_id[next(iter(projects.get().by_id))],
        phone=factories.phone(number),
        language="en",
        origin=factories.ORIGIN,
        address=factories.ADDRESS,
        form_token=number,
    ).challenge_id


def version_reads() -> int:
    """Without Redis the configuration's version is one small row."""
    return 0 if redis_client() else 3


def test_a_start_is_one_statement(queued: QueuedTasks) -> None:
    factories.make_project()
    start("+34612345678")

    with statements() as sent:
        start()

    hot = [line for line in sent if "config" not in line]
    assert len(hot) == 1, sent
    assert len(sent) <= 1 + version_reads(), sent


def test_a_verify_is_one_statement(queued: QueuedTasks) -> None:
    factories.make_project()
    challenge_id = start()
    code = factories.code_of(challenge_id)
    subscriptions.get()  # as the rest of the configuration: in memory since the last change
    rehearsals.places()

    with statements() as sent:
        verify(challenge_id, code)

    hot = [line for line in sent if "config" not in line]
    assert [line.split()[0] for line in hot] == ["WITH"], sent


def test_a_send_is_a_claim_and_an_acceptance(queued: QueuedTasks, providers: Providers) -> None:
    factories.make_project()
    start()

    with statements() as sent:
        send.send_delivery(delivery_id=queued.send[0])

    hot = [line for line in sent if "config" not in line]
    assert [line.split()[0] for line in hot] == ["UPDATE", "WITH"], sent


@pytest.mark.parametrize("size", [1, 100, 1000])
def test_a_batch_of_reports_is_one_statement_whatever_its_size(
    size: int, queued: QueuedTasks, providers: Providers
) -> None:
    factories.make_project()
    start()
    queued.run()
    item = Delivery.objects.get()
    batch = [factories.report(item, Status.SENT, message_id=f"m{nth}") for nth in range(size)]

    with statements() as sent:
        services.record_status_updates(batch)

    assert [line.split()[0] for line in sent] == ["WITH"], sent


def test_a_batch_of_failures_costs_few_more(queued: QueuedTasks, providers: Providers) -> None:
    """An account that cannot pay: each batch is one failure of its sender, whatever its size."""
    factories.make_project()
    start()
    start(factories.OTHER_PHONE)
    queued.run()
    first, second = Delivery.objects.order_by("id")
    payment = FailureReason.PAYMENT
    services.record_status_updates([factories.report(first, Status.FAILED, reason=payment)])
    senders.get()  # it changed with the first failure, and whoever reads a report has read its secret before

    with statements() as sent:
        services.record_status_updates(
            [factories.report(second, Status.FAILED, reason=payment, message_id=f"m{n}") for n in range(1000)]
        )

    assert len([line for line in sent if line not in ("BEGIN", "COMMIT")]) <= 5, sent


def test_statements_that_come_again_are_planned_once(queued: QueuedTasks, providers: Providers) -> None:
    factories.make_project()
    for nth in range(5):
        start(f"+8525123410{nth}")
    queued.run()

    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE generic_plans + custom_plans > 0")
        planned = " ".join(row[0] for row in cursor.fetchall())

    for part in ("INSERT INTO otp_challenge", "SET status = $", "INSERT INTO otp_deliveryevent"):
        assert part in planned, planned


def test_no_hot_query_scans_a_table(queued: QueuedTasks, providers: Providers) -> None:
    """With sequential scans switched off the planner takes one only where no index can serve."""
    factories.make_project()
    challenge_id = start()
    item = Delivery.objects.get()
    code = factories.code_of(challenge_id)
    report = factories.report(item, Status.SENT)
    by_id = factories.report(item, Status.DELIVERED, by_reference=False)
    now = timezone.now()
    acts = {
        "claim": lambda: claim_store.claim(delivery_id=item.id, now=now, lease=policy.LEASE),
        "waiting": lambda: claim_store.claim_waiting(most=8, now=now, lease=policy.LEASE),
        "accept": lambda: claim_store.accept(
            [claim_store.Acceptance(delivery_id=item.id, message_id="m", at=now, due_at=now)]
        ),
        "reports": lambda: services.record_status_updates([report, by_id]),
        "sweep": lambda: sweep.take_due(now=now + policy.SMS_WINDOW, batch=10),
        "describe": lambda: services.describe(challenge_id=challenge_id),
        "verify": lambda: verify(challenge_id, code),
    }

    scans = {}
    for name, act in acts.items():
        plan = plan_of(act)
        assert "otp_" in plan, f"{name} was not explained"
        found = [
            line for line in plan.splitlines() if "Seq Scan on otp_" in line or "Seq Scan on users_" in line
        ]
        if found:
            scans[name] = found

    assert scans == {}


def test_the_sweep_reads_timers_and_looks_deliveries_up(queued: QueuedTasks) -> None:
    factories.make_project()
    start()

    plan = plan_of(lambda: sweep.take_due(now=timezone.now(), batch=10))

    assert "otp_timer_pkey" in plan
    assert "otp_delivery_pkey" in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("has_report", [True, False])
def test_missing_reports_are_looked_for_in_an_index_of_their_own(
    has_report: bool, queued: QueuedTasks, providers: Providers
) -> None:
    """P2: among thousands of messages that were reported."""
    factories.make_project()
    start()
    queued.run()
    item = Delivery.objects.get()
    assert item.sender_id
    reported = {
        "id": "gen_random_uuid()",
        "number": "n",
        "status": str(Status.DELIVERED.value),
        "due_at": "NULL",
    }
    names = [str(field.column) for field in Delivery._meta.concrete_fields]
    values = [reported.get(name, name) for name in names]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO otp_delivery ({', '.join(names)}) SELECT {', '.join(values)} "
            "FROM otp_delivery, generate_series(2, 8000) n"
        )
        cursor.execute("ANALYZE")
    now = timezone.now()
    since = {item.sender_id: now - timedelta(days=7) if has_report else None, new_id(): None}

    plan = plan_of(lambda: unreported.sends(since, until=now, most=3))

    assert "Index Scan using delivery_by_acceptance on otp_delivery" in plan
    assert "Seq Scan on otp_" not in plan
    with statements() as sent:
        assert len(unreported.sends(since, until=now, most=3)[item.sender_id]) == 1
    assert len(sent) == 1


def test_a_sweep_of_silence_asks_for_reports_once(queued: QueuedTasks, providers: Providers) -> None:
    """P2: however many deliveries and senders are silent."""
    factories.make_project(senders=False)
    factories.make_sender("sms")
    factories.make_sender("whatsapp", provider="meta", business_account_id="1")
    for nth in range(4):
        start(f"+8525123410{nth}")
    queued.run()

    with statements() as sent:
        due = sweep.take_due(now=timezone.now() + timedelta(seconds=61), batch=10)

    assert due.cases == {"unreported": 4}
    assert len([line for line in sent if "channels_senderreports" in line]) == 1, sent
    assert len([line for line in sent if line.startswith("SELECT s.id AS sender_id")]) == 1, sent
    assert len([line for line in sent if line not in ("BEGIN", "COMMIT") and "config" not in line]) <= 8, sent


def test_a_login_does_not_read_the_backlog(queued: QueuedTasks) -> None:
    """Messages that end are found by their challenge, not among all that wait."""
    factories.make_project()
    challenge_id, replaced = start(), start("+85251234999")
    remember_a_quiet_year(Challenge.objects.get(id=replaced))
    code = factories.code_of(challenge_id)

    def again() -> None:
        services.start_challenge(
            project=next(iter(projects.get().by_id.values())),
            phone=factories.phone(factories.OTHER_PHONE),
            language="en",
            origin=factories.ORIGIN,
            address=factories.ADDRESS,
            replaces=replaced,
        )

    restarted = plan_of(again)
    verified = plan_of(lambda: verify(challenge_id, code))

    for plan in (restarted, verified):
        assert "Update on otp_delivery" in plan
        assert "one_delivery_per_number" in plan
        assert "delivery_unaccepted" not in plan


@pytest.mark.parametrize("as_query", [True, False])
def test_what_a_login_opens_is_written_with_it(as_query: bool, queued: QueuedTasks) -> None:
    """As a query of the judgement's own statement, or else in one transaction with it."""
    factories.make_project()
    challenge_id = start()
    code = factories.code_of(challenge_id)
    subscriptions.get()
    rehearsals.places()
    insert = "INSERT INTO otp_phonerecord (project_id, phone, wrong_guesses, updated_at) "

    def write(_verified: Verified) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"{insert} SELECT project_id, 'x', 0, now() FROM otp_challenge")

    text = f"remembered AS ({insert} SELECT project_id, %(x)s, 0, %(now)s FROM judged, opened)"
    queries = sql.WithQueries(text=text, parameters={"x": "x"}) if as_query else None
    with statements() as sent:
        verify(challenge_id, code, opens=services.Opens(write=write, queries=queries))

    hot = [line.split()[0] for line in sent if "config" not in line]
    assert hot == (["WITH"] if as_query else ["BEGIN", "WITH", "INSERT", "COMMIT"]), sent
    assert PhoneRecord.objects.filter(phone="x").count() == 1
    assert Challenge.objects.get().verified_at
