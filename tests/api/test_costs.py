"""What each call costs the database: the configuration is in memory, a login is one statement in each of its calls."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.db import connection

from core.redis import redis_client
from oidc.models import Client
from projects.config import projects
from tests import factories
from tests.api.conftest import App, code_of, wrong_code
from tests.clock import later

type Counting = Callable[[int], AbstractContextManager[object]]


@pytest.fixture
def warm(app: App) -> App:
    """Configuration, client, senders and keys have been read before."""
    for number in (
        "+85251234198",
        "+85251234199",
    ):  # the first one makes the key, which is a new version of it all
        app.signed_in(number)
    return app


def version_reads(times: int) -> int:
    """Without Redis the configuration's version is one small row, read once for each request."""
    return 0 if redis_client() else times


def queries(*, postgres: int, sqlite: int) -> int:
    """With savepoints: the test is a transaction already."""
    return postgres if connection.vendor == "postgresql" else sqlite


def test_a_start_is_one_statement(warm: App, django_assert_num_queries: Counting) -> None:
    with django_assert_num_queries(queries(postgres=1, sqlite=7) + version_reads(1)):
        assert warm.start().status_code == 201


def test_reading_is_one_query(warm: App, django_assert_num_queries: Counting) -> None:
    name = warm.started()

    with django_assert_num_queries(1 + version_reads(1)):
        assert warm.read(name).status_code == 200


def test_a_login_is_one_statement(warm: App, django_assert_num_queries: Counting) -> None:
    """Judgement, user and tokens; without a transaction around it."""
    name = warm.started()
    code = code_of(name)

    with django_assert_num_queries(queries(postgres=1, sqlite=17) + version_reads(1)):
        assert warm.verify(name, code).status_code == 200


def test_a_wrong_code_is_a_judgement(warm: App, django_assert_num_queries: Counting) -> None:
    name = warm.started()
    code = wrong_code(name)

    with django_assert_num_queries(queries(postgres=1, sqlite=10) + version_reads(1)):
        assert warm.verify(name, code).status_code == 400


def test_an_assertion_is_a_judgement(warm: App, django_assert_num_queries: Counting) -> None:
    name = warm.started(purpose="assertion")
    code = code_of(name)

    with django_assert_num_queries(queries(postgres=1, sqlite=7) + version_reads(1)):
        assert warm.verify(name, code).status_code == 200


def test_sending_again_is_a_few(warm: App, django_assert_num_queries: Counting) -> None:
    name = warm.started()

    with later(31), django_assert_num_queries(8 + version_reads(1)):
        assert warm.send(name).status_code == 202


def test_a_repeat_with_its_key_is_two_queries(warm: App, django_assert_num_queries: Counting) -> None:
    key = {"Idempotency-Key": "one"}
    warm.start(headers=key)

    with django_assert_num_queries(2 + version_reads(1)):
        assert warm.start(headers=key).status_code == 201


def test_more_clients_do_not_cost_more(warm: App, django_assert_num_queries: Counting) -> None:
    project = projects.get().by_id[Client.objects.get().project_id]
    for nth in range(20):
        factories.make_client(project, client_id=f"client-{nth}")
    name = warm.started()

    with django_assert_num_queries(1 + version_reads(1)):
        assert warm.read(name).status_code == 200


def test_what_is_refused_at_the_door_costs_nothing(warm: App, django_assert_num_queries: Counting) -> None:
    """A made-up id, an unknown client, a broken body: no query."""
    with django_assert_num_queries(version_reads(2)):
        assert warm.read("A" * 72).status_code == 404
        assert warm.start(client_id="nobody").status_code == 401
    with django_assert_num_queries(0):
        assert warm.start("").status_code == 400
        assert warm.start("nonsense").status_code == 400
