"""Each kind that `manage.py purge` deletes, at the last moment that it is kept and at the first that it is not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.utils import timezone
from pytest_django import Settings

from audit.kinds import Kind
from audit.models import AuditEvent
from audit.record import record
from audit.retention import _door as audit_door
from core.ids import new_id, oldest_id_at
from events.models import Event
from login.models import Session
from oidc import keys
from oidc.models import (
    AccessToken,
    AuthorizationCode,
    Client,
    LogoutNotice,
    PushedRequest,
    SigningKey,
    TokenFamily,
)
from otp.models import Challenge, Delivery, LimitNotice, PhoneRecord
from projects.models import Project
from tests import factories
from tests.clock import later
from tests.console.client_pages import sign_in
from users.models import User

pytestmark = pytest.mark.django_db
NOTHING, DAY, MONTH, QUARTER = timedelta(0), timedelta(days=1), timedelta(days=30), timedelta(days=90)
YEAR = timedelta(days=365)


def purged() -> dict[str, int]:
    out = StringIO()
    call_command("purge", stdout=out)
    lines = [line.removesuffix(" deleted").split(": ") for line in out.getvalue().splitlines()]
    return {kind: int(count) for kind, count in lines}


def deliver(challenge: Model) -> None:
    now = timezone.now()
    Delivery.objects.create(
        challenge_id=challenge.pk, channel="sms", created_at=now, send_after=now, status_at=now
    )


@pytest.fixture
def filled() -> None:
    """A row of each kind that is not over."""
    project = factories.make_project()
    client = factories.make_client(project)
    sign_in(client)
    now = timezone.now()
    challenge = Challenge.objects.create(
        project_id=project.id, phone=factories.PHONE, key_id="0", code_length=6, language="en", origin="https://x.example",
        created_at=now, expires_at=now + timedelta(minutes=5), resend_at=now, max_attempts=5,
    )  # fmt: skip
    deliver(challenge)
    PhoneRecord.objects.create(project_id=project.id, phone=factories.PHONE, updated_at=now)
    LimitNotice.objects.create(project_id=project.id, rule="send.project", amount=1, at=now, until=now)
    Session.objects.create(session_key="kept", session_data="", expire_date=now + DAY)
    PushedRequest.objects.create(key=b"k" * 32, client=client, parameters={}, expires_at=now + DAY)
    family = TokenFamily.objects.get()
    TokenFamily.objects.update(used_at=now)
    AuthorizationCode.objects.create(
        family=family, code="c" * 64, redirect_uri="https://acme.example/", expires=now + DAY
    )
    LogoutNotice.objects.create(
        client=client, issuer="https://x.example", sub=new_id(), sid=new_id(), created_at=now
    )
    Event.objects.create(
        endpoint=factories.make_endpoint(project), type="sender.alert", body="{}", created_at=now
    )
    record(Kind.ADDED)


type Age = Callable[[datetime], None]


def by(model: type[Model], field: str, **others: Any) -> Age:
    def set_time(moment: datetime) -> None:
        model._default_manager.update(**{field: moment}, **others)

    return set_time


def by_id(model: type[Model]) -> Age:
    """The key has the time, to the millisecond: the row again, under a key of that moment."""

    def set_time(moment: datetime) -> None:
        row = model._default_manager.get()
        values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
        row.delete()
        again = model._default_manager.create(**(values | {"id": oldest_id_at(moment)}))
        if model is Challenge:
            deliver(again)

    return set_time


def by_audit_id(moment: datetime) -> None:
    """The same for what cannot be deleted otherwise."""
    kind = AuditEvent.objects.values_list("kind", flat=True)[0]
    with audit_door():
        AuditEvent.objects.all().delete()
    AuditEvent(id=oldest_id_at(moment), at=moment, kind=kind).save(force_insert=True)


KINDS: dict[str, tuple[type[Model], Age, timedelta]] = {
    "challenges": (Challenge, by_id(Challenge), MONTH),
    "phone records": (PhoneRecord, by(PhoneRecord, "updated_at"), MONTH),
    "limit notices": (LimitNotice, by(LimitNotice, "until"), DAY),
    "sessions": (Session, by(Session, "expire_date"), NOTHING),
    "access tokens": (AccessToken, by(AccessToken, "expires_at"), DAY),
    "pushed requests": (PushedRequest, by(PushedRequest, "expires_at"), NOTHING),
    "codes": (AuthorizationCode, by(AuthorizationCode, "expires"), DAY),
    "families over": (TokenFamily, by(TokenFamily, "expires_at"), DAY),
    "families revoked": (TokenFamily, by(TokenFamily, "revoked_at"), DAY),
    "families never used": (TokenFamily, by(TokenFamily, "created_at", used_at=None), DAY),
    "logout notices": (LogoutNotice, by_id(LogoutNotice), MONTH),
    "events": (Event, by_id(Event), MONTH),
    "audit events": (AuditEvent, by_audit_id, YEAR),
}


OF_A_FAMILY: set[type[Model]] = {AccessToken, AuthorizationCode}
GOES_WITH: dict[str, set[type[Model]]] = {
    "challenges": {Delivery},
    "families over": OF_A_FAMILY,
    "families revoked": OF_A_FAMILY,
    "families never used": OF_A_FAMILY,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_is_kept_to_its_last_moment_and_then_it_goes_alone(kind: str, filled: None) -> None:
    model, set_time, kept = KINDS[kind]
    with later(0):
        now = timezone.now()
        set_time(now - kept)
        assert not any(purged().values())
        assert model._default_manager.count() == 1
        others = {other: other._default_manager.count() for other, _, _ in KINDS.values()}
        assert Delivery.objects.count() == 1

        set_time(now - kept - timedelta(milliseconds=1))
        counts = purged()

    assert {name: count for name, count in counts.items() if count} == {kind: 1}
    assert not model._default_manager.exists()
    with_it = GOES_WITH.get(kind, set())
    for other, count in others.items():
        if other is not model and other not in with_it:
            assert other._default_manager.count() == count
    assert not any(child._default_manager.exists() for child in with_it)


def test_every_kind_has_a_line_even_when_nothing_went() -> None:
    assert purged() == dict.fromkeys([*KINDS, "signing keys", "message ids", "erased users"], 0)


def test_a_family_that_was_used_is_not_one_that_never_was(filled: None) -> None:
    long_ago = timezone.now() - timedelta(days=20)
    TokenFamily.objects.update(created_at=long_ago, used_at=long_ago)

    assert not any(purged().values())


def test_people_and_what_they_set_up_stay_however_old(filled: None) -> None:
    with later(timedelta(days=4000).total_seconds()):
        purged()

        assert (User.objects.count(), Client.objects.count(), Project.objects.count()) == (1, 1, 1)
        assert not any(model._default_manager.exists() for model, _, _ in KINDS.values())
        assert not any(purged().values())


@pytest.mark.parametrize(("age", "count"), [(QUARTER, 0), (QUARTER + timedelta(microseconds=1), 1)])
def test_a_signing_key_goes_a_quarter_after_another_took_over(age: timedelta, count: int) -> None:
    with later(0):
        now = timezone.now()
        old, new = keys.rotate("RS256"), keys.rotate("RS256")
        assert old and new  # noqa: PT018 # neither is skipped
        SigningKey.objects.filter(kid=old.kid).update(created_at=now - timedelta(days=400))
        SigningKey.objects.filter(kid=new.kid).update(created_at=now - age)

        assert purged()["signing keys"] == count

    assert set(SigningKey.objects.values_list("kid", flat=True)) == (
        {new.kid} if count else {old.kid, new.kid}
    )


def test_the_only_key_of_an_algorithm_stays_for_ever() -> None:
    for algorithm in ("RS256", "ES256"):
        keys.rotate(algorithm)
    SigningKey.objects.update(created_at=timezone.now() - timedelta(days=4000))

    assert purged()["signing keys"] == 0


def test_the_command_works_through_the_list_of_the_settings_and_no_other(
    settings: Settings, filled: None
) -> None:
    settings.RETENTION = {"login": settings.RETENTION["login"]}

    assert purged() == {"sessions": 0, "erased users": 0}


@pytest.mark.parametrize("arguments", [("sessions",), ("--check",), ("--batch", "5")])
def test_other_arguments_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("purge", *arguments)
