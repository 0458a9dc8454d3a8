"""Tokens are not checked by the database for their family: none is ever left without one."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from core.ids import new_id
from oidc import retention, tokens
from oidc.models import AccessToken, RefreshToken, TokenFamily
from tests.oidc.app import App
from tests.processes import until
from tests.threads import is_waiting

BEFORE, AFTER = "0004_no_lock_on_the_client", "0005_no_lock_on_the_family"

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def migrate(name: str) -> None:
    MigrationExecutor(connection).migrate([("oidc", name)])


@pytest.fixture
def forward() -> Iterator[None]:
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def are_checked() -> list[bool]:
    found = []
    for model in (AccessToken, RefreshToken):
        with connection.cursor() as cursor:
            known = connection.introspection.get_constraints(cursor, model._meta.db_table)
        found.append(any(item["foreign_key"] for item in known.values()))
    return found


def test_there_and_back(app: App, forward: None) -> None:
    """Back, a token whose family is gone is gone as well."""
    app.tokens()
    now = timezone.now()
    AccessToken.objects.create(
        token_hash=b"a" * 32,
        family_id=new_id(),
        scope="",
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    RefreshToken.objects.create(token_hash=b"r" * 32, family_id=new_id(), created_at=now)
    assert are_checked() == [False, False]

    migrate(BEFORE)

    assert are_checked() == [True, True]
    (family,) = TokenFamily.objects.all()
    assert {row.family_id for model in (AccessToken, RefreshToken) for row in model.objects.all()} == {
        family.id
    }

    migrate(AFTER)
    assert are_checked() == [False, False]


def in_another[Result](act: Callable[[], Result]) -> Callable[[], Result]:
    def run() -> Result:
        try:
            return act()
        finally:
            connection.close()

    return run


def test_a_deletion_waits_for_a_refresh_and_takes_its_tokens_along(app: App) -> None:
    app.tokens()
    (family,) = TokenFamily.objects.all()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert tokens._touch_if_alive(family, timezone.now())
            deletion = pool.submit(
                in_another(lambda: retention.remove_tokens_of(family.user_id, seconds=None))
            )
            until(is_waiting, "the deletion waits")
            tokens.store_tokens(family, "access", "refresh", scope="openid", now=timezone.now())

        assert deletion.result(timeout=30)
    assert (TokenFamily.objects.count(), AccessToken.objects.count(), RefreshToken.objects.count()) == (
        0,
        0,
        0,
    )


def test_a_refresh_waits_for_a_deletion_and_finds_nothing(app: App) -> None:
    refresh_token = app.tokens()["refresh_token"]
    (family,) = TokenFamily.objects.all()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert retention.remove_tokens_of(family.user_id, seconds=None)
            refreshing = pool.submit(in_another(lambda: tokens.renew(refresh_token, family, scope="openid")))
            until(is_waiting, "the refresh waits")

        assert refreshing.result(timeout=30) is None
    assert (AccessToken.objects.count(), RefreshToken.objects.count()) == (0, 0)
