"""Many calls at once, over connections of their own."""

import json
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse

from core import sql
from oidc.models import AccessToken, RefreshToken, TokenFamily
from otp.models import Challenge, Delivery
from tests import factories, threads
from tests.api.conftest import App, code_of, problem, wrong_code
from tests.clock import later
from users import services as users
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Answers of `count` calls of `act(n)` that begin together. None may raise."""
    answers = threads.at_once([partial(act, nth) for nth in range(count)])
    assert not [answer for answer in answers if answer is None or isinstance(answer, BaseException)]
    return answers


def statuses(answers: list[Any]) -> dict[int, int]:
    found = [response.status_code for response in answers]
    return {status: found.count(status) for status in sorted(set(found))}


@pytest.fixture
def apps(app: App) -> list[App]:
    """Fifty pages of one client: each thread has its own."""
    return [App() for _ in range(50)]


@pytest.mark.parametrize("purpose", ["login", "assertion"])
def test_fifty_right_codes_at_once_are_one_login(app: App, apps: list[App], purpose: str) -> None:
    """A6: one token set (or one assertion), one user, and a conflict for all others."""
    name = app.started(purpose=purpose)
    code = code_of(name)

    answers = at_once(50, lambda nth: apps[nth].verify(name, code))

    assert statuses(answers) == {200: 1, 409: 49}
    counts = [model.objects.count() for model in (User, TokenFamily, AccessToken, RefreshToken)]
    assert counts == [1 if purpose == "login" else 0] * 4


def alive(token: str) -> bool:
    """Whether an access token opens anything."""
    answer = App().http.get("/oauth2/userinfo/", headers={"Authorization": f"Bearer {token}"})
    return bool(answer.status_code == 200)


def started(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """A call that has a third of a second to come to its first lock, and what it answers once the thread ends."""
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.extend(threads.at_once([call])))
    thread.start()
    thread.join(timeout=0.3)
    return thread, answers


@pytest.mark.parametrize(
    ("change", "status"), [(partial(users.set_active, active=False), 403), (users.end_all_sessions, 200)]
)
def test_a_code_waits_for_what_happens_to_its_user(
    app: App, change: Callable[..., None], status: int
) -> None:
    """Blocked or signed out everywhere while the code is judged: the login sees it."""
    user_id = app.signed_in()["user"]["id"]
    with later(31):
        name = app.started()
        code = code_of(name)
        with transaction.atomic():
            change(user_id=user_id)
            thread, answers = started(lambda: App().verify(name, code))
            assert not answers, "the change is not committed yet"
        thread.join(timeout=30)

    (answer,) = answers
    assert answer.status_code == status
    assert TokenFamily.objects.count() == (2 if status == 200 else 1)
    assert status != 200 or alive(answer.json()["access_token"])


@pytest.mark.postgres
def test_a_connection_that_breaks_while_a_code_is_judged_leaves_nothing(app: App) -> None:
    """Neither a consumed code without tokens nor tokens without a login: the same code works again."""
    user_id = app.signed_in()["user"]["id"]
    with later(31):
        name = app.started()
        code = code_of(name)
        with transaction.atomic():
            users.end_all_sessions(user_id=user_id)  # the judgement waits for this row
            thread, answers = started(lambda: App().verify(name, code))
            assert sql.value(
                "SELECT bool_and(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'",
                {},
            )
            thread.join(timeout=30)

        problem(answers[0], 503, "unavailable")
        assert TokenFamily.objects.count() == AccessToken.objects.count() == RefreshToken.objects.count() == 1
        assert app.read(name).json()["state"] == "pending"
        assert app.verify(name, code).status_code == 200
    assert TokenFamily.objects.count() == AccessToken.objects.count() == RefreshToken.objects.count() == 2


def test_no_token_outlives_a_block_at_the_same_moment(app: App) -> None:
    """Whoever comes first: no tokens, or tokens that are dead."""
    user_id = app.signed_in()["user"]["id"]
    with later(31):
        name = app.started()
        code = code_of(name)

        answer, _ = threads.at_once(
            [lambda: App().verify(name, code), lambda: users.set_active(user_id=user_id, active=False)]
        )

    assert isinstance(answer, HttpResponse)
    assert answer.status_code in (200, 403)
    assert TokenFamily.objects.count() == AccessToken.objects.count() == RefreshToken.objects.count()
    assert TokenFamily.objects.count() == (2 if answer.status_code == 200 else 1)
    assert answer.status_code != 200 or not alive(json.loads(answer.content)["access_token"])


def test_the_other_mode_at_once_is_refused_and_one_is_right(app: App, apps: list[App]) -> None:
    """A5"""
    name = app.started()
    code = code_of(name)

    answers = at_once(20, lambda nth: apps[nth].verify(name, code, mode="assertion" if nth % 2 else "tokens"))

    assert statuses(answers) == {200: 1, 409: 9, 400: 10}


def test_parallel_guessing_buys_nothing(app: App, apps: list[App]) -> None:
    """B3"""
    name = app.started()
    wrong = [wrong_code(name, nth) for nth in range(40)]

    answers = at_once(40, lambda nth: apps[nth].verify(name, wrong[nth]))

    assert statuses(answers) == {400: 4, 423: 36}
    assert Challenge.objects.get().attempts == 5
    assert app.verify(name, code_of(name)).status_code == 423


def test_twenty_starts_with_one_key_are_one_challenge(app: App, apps: list[App], rung: list[object]) -> None:
    """C2"""
    key = {"Idempotency-Key": "one"}

    answers = at_once(20, lambda nth: apps[nth].start(headers=key))

    assert statuses(answers) == {201: 20}
    assert len({response.json()["id"] for response in answers}) == 1
    assert Delivery.objects.count() == len(rung) == 1


def test_two_bodies_under_one_key_at_once_are_one_challenge(app: App, apps: list[App]) -> None:
    phones = [factories.PHONE, factories.OTHER_PHONE]
    key = {"Idempotency-Key": "one"}

    answers = at_once(20, lambda nth: apps[nth].start(phones[nth % 2], headers=key))

    assert statuses(answers) == {201: 10, 400: 10}
    assert Challenge.objects.count() == 1


def test_twenty_starts_without_a_key_send_once(app: App, apps: list[App], rung: list[object]) -> None:
    """C2, C3: the number's own limit, for any caller."""
    answers = at_once(20, lambda nth: apps[nth].start())

    assert statuses(answers) == {201: 1, 429: 19}
    assert Challenge.objects.count() == len(rung) == 1


def test_twenty_switches_at_once_send_one_sms(app: App, apps: list[App]) -> None:
    """D3"""
    name = app.started()

    answers = at_once(20, lambda nth: apps[nth].send(name, channel="sms"))

    assert statuses(answers) == {202: 20}
    assert Delivery.objects.filter(channel="sms").count() == 1
