"""A project goes with everything that hangs on it, and nothing of another one does."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.test import TestCase
from django.utils import timezone

from channels.types import Status
from events.models import Event, EventType
from login.models import Session
from oidc.models import AccessToken, Consent, TokenFamily
from otp import services
from otp.models import Challenge, Delivery, PhoneRecord, Timer
from otp.store.due import take_due
from projects import removal
from projects.archiving import NotPossible, restore
from projects.config import projects
from projects.models import Domain, Project, TestNumber
from projects.tasks import remove_projects
from tests import factories
from tests.api.conftest import App as Caller
from tests.login.conftest import (  # noqa: F401 # fixtures
    Browser,
    _nothing_remembered,
    browser,
    other_browser,
    project,
    rung,
)
from tests.oidc.app import App
from users.models import User

HOST = "login.beta.example"


def rows() -> Counter[str]:
    """How many rows of ours there are, by model, but those that every installation has."""
    skipped = {
        "contenttypes.ContentType",
        "auth.Permission",
        "projects.ConfigVersion",
        "oidc.SigningKey",
        "audit.AuditEvent",
        "otp.Timer",  # a time and an opaque id, which go when that time comes
    }
    return Counter(
        {
            model._meta.label: model._default_manager.count()
            for model in apps.get_models(include_auto_created=True)
            if model._meta.label not in skipped
        }
    )


@pytest.fixture
def beta(project: Any, settings: Any) -> Project:  # noqa: F811 # a fixture
    """A second project that was used: people, sessions, tokens, challenges, records, events, senders."""
    settings.ALLOWED_HOSTS = ["testserver", HOST]
    made = factories.make_project(slug="beta", name="Beta", is_default=False)
    row = Project.objects.get(id=made.id)
    Domain.objects.create(project=row, host=HOST)
    return row


def use(row: Project, host: str, client_id: str) -> None:
    value = projects.get().by_id[row.id]
    for channel in ("whatsapp", "sms"):
        factories.make_sender(channel, row)
    TestNumber.objects.create(project=row, phone="+15005550199", code="424242", until="2099-01-01")
    factories.make_endpoint(value, *EventType)
    client = factories.make_client(value, client_id=client_id)
    with TestCase.captureOnCommitCallbacks(execute=True):
        app = App(client=client, browser=Browser(HTTP_HOST=host))
        app.http.defaults["HTTP_HOST"] = host
        assert app.tokens()["refresh_token"]
        person = User.objects.get(project=row)
        Consent.objects.create(user=person, client=client, scope="openid", granted_at=timezone.now())
        PhoneRecord.objects.create(project=row, phone=factories.OTHER_PHONE, updated_at=timezone.now())
        Caller(client_id, host=host).started(factories.OTHER_PHONE)
    delivery = Delivery.objects.filter(challenge__project=row).latest("id")
    if delivery.sender_id is None:
        Delivery.objects.filter(pk=delivery.pk).update(sender=row.senders.first())
        delivery.refresh_from_db()
    services.record_status_updates([factories.report(delivery, Status.DELIVERED)])


@pytest.mark.django_db
@pytest.mark.parametrize("batch", [1, 500])
def test_everything_of_it_goes_and_nothing_of_another(batch: int, beta: Project) -> None:
    """D12."""
    acme = Project.objects.get(slug="acme")
    use(acme, "testserver", "acme-web")
    before = rows()
    use(beta, HOST, "beta-web")
    for model in (User, Session, TokenFamily, AccessToken, Challenge, Delivery, Event, Consent, PhoneRecord):
        assert rows()[model._meta.label] > before[model._meta.label], model

    removal.begin(beta)
    assert removal.remove(beta, batch=batch)

    gone = Counter({"projects.Project": 1, "projects.LoginMethods": 1, "projects.Domain": 1})
    assert rows() == before - gone
    assert list(projects.get().by_id) == [acme.id]
    take_due(now=timezone.now() + timedelta(hours=1), batch=9)
    assert not Timer.objects.exclude(delivery__in=Delivery.objects.all()).exists()


@pytest.mark.django_db
def test_what_takes_too_long_goes_on_in_the_background(beta: Project) -> None:
    """D12: from the first moment nobody is answered, and in the end nothing is left."""
    use(beta, HOST, "beta-web")
    people = User.objects.filter(project=beta).count()

    removal.begin(beta)
    assert not removal.remove(beta, seconds=-1)

    assert User.objects.filter(project=beta).count() == people
    assert Browser(HTTP_HOST=HOST).client.get("/login/").status_code == 503
    with pytest.raises(NotPossible):
        restore(Project.objects.get(slug="beta"))

    remove_projects()
    assert not Project.objects.filter(slug="beta").exists()
    remove_projects()
    assert Project.objects.get().slug == "acme"


@pytest.mark.django_db
def test_the_default_project_goes_last(beta: Project) -> None:
    """D12."""
    acme = Project.objects.get(slug="acme")
    with pytest.raises(NotPossible, match="default project"):
        removal.begin(acme)
    assert not Project.objects.get(slug="acme").archived_at

    removal.begin(beta)
    removal.remove(beta)
    removal.begin(acme)
    assert removal.remove(acme)
    assert not Project.objects.exists()


@pytest.mark.django_db
def test_what_has_become_the_default_project_since_it_was_read_stays(beta: Project) -> None:
    """D12."""
    stale = Project.objects.get(pk=beta.pk)
    Project.objects.filter(slug="acme").update(is_default=False)
    Project.objects.filter(pk=beta.pk).update(is_default=True)

    with pytest.raises(NotPossible, match="default project"):
        removal.begin(stale)

    assert Project.objects.get(pk=beta.pk).deletion_began_at is None


@pytest.mark.django_db(transaction=True)
def test_a_login_that_writes_meanwhile_is_found_by_the_next_round(
    beta: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D12: a challenge written between the children and the project itself."""
    removal.begin(beta)
    real = removal._drain
    late: list[object] = []

    def drain(model: Any, *rest: Any) -> None:
        real(model, *rest)
        if model is Challenge and not late:
            late.append(
                PhoneRecord.objects.create(project=beta, phone=factories.PHONE, updated_at=timezone.now())
            )

    monkeypatch.setattr(removal, "_drain", drain)
    key = beta.pk
    rounds = 1
    while not removal.remove(Project.objects.get(pk=key)):
        rounds += 1
        assert rounds < 4

    assert late
    assert not PhoneRecord.objects.filter(project_id=key).exists()
    assert not Project.objects.filter(pk=key).exists()
