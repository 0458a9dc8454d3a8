"""One list says what is deleted when: `manage.py purge` and beat run it, and every table that grows is in it. D10."""

from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db.models import Model
from django.utils import timezone
from django.utils.module_loading import import_string

from audit.models import AuditEvent
from authsvc.settings.celery import RETENTION
from events.models import Event
from login.models import Session
from oidc import keys, policy, services
from oidc.models import (
    AccessToken,
    AuthorizationCode,
    LogoutNotice,
    PushedRequest,
    RefreshToken,
    SigningKey,
    TokenFamily,
)
from otp.models import Challenge, Delivery, DeliveryEvent, LimitNotice, PhoneRecord
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.login.conftest import (  # noqa: F401 # fixtures
    Browser,
    _nothing_remembered,
    browser,
    project,
    rung,
)
from tests.oidc.app import App
from tests.oidc.conftest import app  # noqa: F401 # a fixture
from tests.oidc.test_par import push
from users.models import User

# What a login, an application or a provider makes without anybody's wish, and which ends.
ENDS: set[type[Model]] = {
    *(Challenge, Delivery, DeliveryEvent, PhoneRecord, LimitNotice, Session, Event, AuditEvent),
    *(TokenFamily, AuthorizationCode, AccessToken, RefreshToken, PushedRequest, LogoutNotice, SigningKey),
}
# What stays until somebody deletes it, and why it does not grow by itself.
STAYS = {
    "users.User": "people and staff: an account is deleted by its owner's or an operator's wish",
    "oidc.Consent": "one row for a person and an application, taken back on /account/",
    "projects.ConfigVersion": "one row",
    "projects.Project": "configuration",
    "projects.Domain": "configuration",
    "projects.LoginMethods": "configuration",
    "projects.TestNumber": "configuration",
    "channels.Sender": "configuration",
    "otp.Timer": "the sweep removes each when its time has come",
    "channels.SenderHealth": "one row for a sender in trouble",
    "channels.SenderNotice": "one row for each language and topic of a sender's template, number and account",
    "channels.SenderReports": "one row for a sender",
    "channels.SenderCheck": "one row for a step of a sender's set-up",
    "channels.SampleMessage": "ten for a sender",
    "channels.Rehearsal": "the record of who rehearsed what: staff make each",
    "users.Membership": "configuration",
    "users.Invitation": "the record of who invited whom: staff make each",
    "users.Totp": "one row for a member of staff",
    "users.Passkey": "a few rows for a member of staff",
    "users.RecoveryCode": "ten rows for a member of staff",
    "events.Endpoint": "configuration",
    "oidc.Client": "configuration",
    "admin.LogEntry": "never written: the audit log takes its place",
    "stats.CountedHour": "the hours of sixty days",
    "stats.LoginRollup": "counts by day, a row for each project and country: they go with the project",
    "stats.DeliveryRollup": "the same, for each kind of message",
    "stats.TimingRollup": "the same, for each duration",
    "stats.Price": "configuration",
    "stats.PriceReading": "one row for an account of a sender",
    "stats.StatsToken": "configuration",
    "auth.Permission": "Django's, made by migrations",
    "auth.Group": "Django's, made by staff",
    "contenttypes.ContentType": "Django's, made by migrations",
    "oauth2_provider.IDToken": "never written",
    "oauth2_provider.DeviceGrant": "never written",
}


def test_every_table_ends_or_says_why_it_does_not() -> None:
    """D10: a new one is not forgotten."""
    ending = {model._meta.label for model in ENDS}

    assert ending | set(STAYS) == {model._meta.label for model in apps.get_models()}
    assert not ending & set(STAYS)


def test_beat_rings_for_each_of_the_list() -> None:
    """D10"""
    scheduled = {entry["task"]: entry["schedule"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    for app_name, (function, task, seconds) in RETENTION.items():
        assert apps.get_app_config(app_name)
        assert scheduled[task] == seconds <= 600
        assert callable(import_string(function))
        assert callable(import_string(task))


def test_every_purge_of_an_app_is_in_the_list() -> None:
    """D10: whoever writes one and forgets the list finds out here."""
    names = [
        config.label
        for config in apps.get_app_configs()
        if find_spec(f"{config.name}.tasks") and hasattr(import_module(f"{config.name}.tasks"), "purge")
    ]

    assert set(names) == set(RETENTION)


@pytest.mark.django_db
def test_the_command_deletes_all_that_is_over(
    project: ProjectConfig,  # noqa: F811 # fixtures
    app: App,  # noqa: F811
    browser: Browser,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    """D10: after a login with everything that hangs on it, and long enough, nothing is left but who they are."""
    factories.make_endpoint(project)
    app.client.backchannel_logout_uri = "https://acme.example/out"
    app.client.save()
    app.tokens()
    app.code()
    push(app)
    browser.ask(factories.OTHER_PHONE)
    browser.enter(browser.wrong_code)
    now = timezone.now()
    delivery = Delivery.objects.earliest("id")
    DeliveryEvent.objects.create(delivery=delivery, status=2, occurred_at=now, recorded_at=now)
    services.end_tokens_of_user(User.objects.get(phone=factories.PHONE).id)
    keys.rotate("RS256")
    LimitNotice.objects.create(project_id=project.id, rule="send.project", amount=20_000, at=now, until=now)
    assert all(model._default_manager.exists() for model in ENDS), [
        model for model in ENDS if not model._default_manager.exists()
    ]

    call_command("purge")
    assert "challenges: 0 deleted" in capsys.readouterr().out
    assert all(model._default_manager.exists() for model in ENDS)
    with later((policy.KEY_KEPT + timedelta(days=400)).total_seconds()):
        call_command("purge")

    left = {model._meta.label: count for model in ENDS if (count := model._default_manager.count())}
    assert left == {"oidc.SigningKey": 1}
    assert User.objects.filter(phone=factories.PHONE).exists()
    said = capsys.readouterr().out
    for kind in (
        "challenges",
        "phone records",
        "sessions",
        "pushed requests",
        "logout notices",
        "events",
        "signing keys",
        "audit events",
    ):
        assert f"{kind}: 0 deleted" not in said
        assert f"{kind}: " in said
