"""A login locks no row of configuration that all logins of a project would lock, and what is deleted meanwhile is borne."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from channels.models import Sender
from channels.types import Channel, Status
from core.ids import new_id
from oidc import tokens
from oidc.models import AccessToken, RefreshToken, TokenFamily
from otp import send
from otp.models import Challenge, Delivery
from projects.config import ProjectConfig
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start
from users.models import User


def foreign_keys(table: str) -> set[str]:
    """The tables that the database's own constraints lead to."""
    with connection.cursor() as cursor:
        known = connection.introspection.get_constraints(cursor, table)
    return {item["foreign_key"][0] for item in known.values() if item["foreign_key"]}


@pytest.mark.django_db
def test_a_message_does_not_lock_its_sender_nor_a_login_its_client() -> None:
    assert "channels_sender" not in foreign_keys("otp_delivery")
    assert "oidc_client" not in foreign_keys("oidc_tokenfamily")
    assert foreign_keys("otp_delivery") == {"otp_challenge"}


@pytest.mark.django_db
def test_deleting_a_sender_still_leaves_its_messages(start: Start, queued: QueuedTasks) -> None:
    start(factories.PHONE)

    Sender.objects.filter(channel=Channel.WHATSAPP).delete()

    assert Delivery.objects.get().sender_id is None


def test_a_message_of_a_sender_that_is_gone_goes_by_another(
    project: ProjectConfig, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """As after a start that was committed just after its sender had been deleted."""
    start(factories.PHONE)
    Delivery.objects.update(sender_id=new_id())

    send.send_delivery(delivery_id=Delivery.objects.get().id)

    delivery = Delivery.objects.get()
    assert delivery.status == Status.ACCEPTED
    assert delivery.sender_id == Sender.objects.get(channel=Channel.WHATSAPP).id


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_way_back_bears_what_was_deleted_meanwhile(
    project: ProjectConfig, start: Start, queued: QueuedTasks
) -> None:
    start(factories.PHONE)
    Delivery.objects.update(sender_id=new_id())
    family = orphaned_family(project)

    executor = MigrationExecutor(connection)
    try:
        executor.migrate([("otp", "0015_lean_events"), ("oidc", "0003_es256_for_new_clients")])
        assert Delivery.objects.get().sender_id is None
        assert not TokenFamily.objects.filter(id=family.id).exists()
        assert not AccessToken.objects.filter(family_id=family.id).exists()
        assert "channels_sender" in foreign_keys("otp_delivery")
        assert "oidc_client" in foreign_keys("oidc_tokenfamily")
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
        Challenge.objects.all().delete()


def orphaned_family(project: ProjectConfig) -> TokenFamily:
    """As after a login that was committed just after its client had been deleted."""
    now, client = timezone.now(), factories.make_client(project)
    family = TokenFamily.objects.create(
        id=new_id(),
        client=client,
        user=User.objects.create(project_id=project.id, phone=factories.PHONE),
        scope="openid",
        issuer=factories.ORIGIN,
        sid=new_id(),
        auth_time=now,
        amr=["otp"],
        session_hash="",
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    hashed = {"token_hash": b"1" * 32, "family": family, "created_at": now}
    AccessToken.objects.create(**hashed, scope="openid", expires_at=now + timedelta(hours=1))
    RefreshToken.objects.create(**hashed)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM oidc_client WHERE id = %s", [client.pk])
    return family


@pytest.mark.django_db(transaction=True)
def test_a_token_of_a_client_that_is_gone_opens_nothing(
    project: ProjectConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphaned_family(project)
    monkeypatch.setattr(tokens, "hash_token", lambda _token: b"1" * 32)

    assert AccessToken.objects.count() == 1
    assert tokens.find_access("its text", project_id=project.id) is None
