"""The session that a right code opens: written by the statement that judges the code, or by the portable form."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core import signing
from django.db import Error as DatabaseError
from django.test import Client, RequestFactory
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from core import sql
from events.models import EventType
from login import sessions
from login.models import Session
from login.sessions import SessionStore, hash_key
from otp.models import Challenge, Delivery
from otp.store import verify
from projects.config import ProjectConfig
from tests import factories
from tests.login.conftest import Browser
from tests.statements import statements
from tests.threads import at_once
from users.models import User

COOKIE = settings.SESSION_COOKIE_NAME
AGENTS = ["", "Mozilla/5.0 Firefox/140", "quote\" ' \\ %s %(now)s {}", "y" * 300, "nul\0byte"]


@pytest.fixture(
    params=[pytest.param(True, marks=pytest.mark.postgres), False], ids=["one statement", "portable"]
)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the session is written by the judgement's own statement."""
    if not request.param:
        monkeypatch.setattr(sql, "is_postgres", lambda: False)
    return bool(request.param)


def signed_in(browser: Browser, **headers: Any) -> tuple[dict[str, Any], Session]:
    """The data and the row of the session that this browser got."""
    browser.client.defaults.update(headers)
    browser.sign_in()
    key = browser.client.cookies[COOKIE].value
    return dict(SessionStore(key).load()), Session.objects.get(session_key=hash_key(key))


@pytest.mark.django_db
@pytest.mark.parametrize("agent", AGENTS)
def test_the_row_says_what_the_login_was(browser: Browser, form: bool, agent: str) -> None:
    data, row = signed_in(browser, HTTP_USER_AGENT=agent)

    user, challenge = User.objects.get(), Challenge.objects.get()
    assert challenge.verified_at
    assert data == {
        "_auth_user_id": str(user.id),
        "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
        "_auth_user_hash": user.get_session_auth_hash(),
        "auth_time": challenge.verified_at.timestamp(),
        "amr": ["otp"],
        "sid": str(row.id),
    }
    assert row.user_id == user.id
    assert row.user_agent == agent.replace("\0", "")[:200]
    assert row.address == "127.0.0.1"
    assert row.expire_date == challenge.verified_at + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    assert abs(row.created_at - challenge.verified_at) < timedelta(seconds=5)
    assert browser.is_signed_in


@pytest.mark.django_db
@pytest.mark.parametrize(("address", "stored"), [("", None), ("2001:db8::1", "2001:db8::1")])
def test_any_address_is_stored(browser: Browser, form: bool, address: str, stored: str | None) -> None:
    _, row = signed_in(browser, REMOTE_ADDR=address)

    assert row.address == stored


@pytest.mark.django_db
def test_a_code_by_sms_is_told(browser: Browser, form: bool) -> None:
    browser.ask(channel="sms")
    Delivery.objects.update(tries=1)
    browser.enter(browser.code)

    assert browser.client.session["amr"] == ["otp", "sms"]


@pytest.mark.django_db
def test_it_is_signed_as_django_signs(browser: Browser, form: bool, settings: LazySettings) -> None:
    """A row that anybody else wrote, or of another secret, signs nobody in."""
    _, row = signed_in(browser)
    salt = SessionStore().key_salt

    value, _, signature = row.session_data.rpartition(":")
    assert signing.loads(row.session_data, salt=salt, max_age=60)["sid"] == str(row.id)
    with pytest.raises(signing.BadSignature):
        signing.loads(f"{value}:{signature[:-1]}{'a' if signature[-1] != 'a' else 'b'}", salt=salt)
    with pytest.raises(signing.BadSignature):
        signing.loads(row.session_data, salt="another")
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another secret key of forty characters...."
    with pytest.raises(signing.BadSignature):
        signing.loads(row.session_data, salt=salt)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert signing.loads(row.session_data, salt=salt)


@pytest.mark.django_db
def test_a_changed_secret_signs_the_next_session(
    browser: Browser, form: bool, settings: LazySettings
) -> None:
    """Pads of the former secret are not used on."""
    signed_in(browser)
    settings.SECRET_KEY = "another secret key of forty characters...."
    other = Browser()

    data, _ = signed_in(other)

    assert data["_auth_user_id"]
    assert other.is_signed_in


@pytest.mark.django_db
def test_django_may_change_it_afterwards(browser: Browser, form: bool) -> None:
    _, row = signed_in(browser)
    store = SessionStore(browser.client.cookies[COOKIE].value)
    store["more"] = 1
    store.save()

    assert browser.client.session["more"] == 1
    assert browser.is_signed_in
    assert Session.objects.get().id == row.id


@pytest.mark.django_db
def test_whoever_is_refused_gets_none(browser: Browser, form: bool) -> None:
    browser.ask()
    assert browser.enter(browser.wrong_code).status_code == 400
    assert not Session.objects.exists()

    User.objects.create(project_id=Challenge.objects.get().project_id, phone=factories.PHONE, is_active=False)
    assert browser.enter(browser.code).status_code == 403
    assert not Session.objects.exists()


@pytest.mark.django_db
def test_the_browsers_earlier_session_ends(browser: Browser, form: bool) -> None:
    """For applications the same person's is one session with a new time; another person's ends."""
    _, first = signed_in(browser)
    browser.client.cookies["csrftoken"] = browser.client.get("/login/").cookies["csrftoken"].value
    Challenge.objects.all().delete()

    _, second = signed_in(browser)

    assert (second.id, second.session_key != first.session_key) == (first.id, True)
    assert Session.objects.count() == 1

    assert browser.ask(factories.OTHER_PHONE).status_code == 302
    browser.enter(browser.code)
    other = Session.objects.get()
    assert other.id != first.id
    assert other.user_id != first.user_id


@pytest.mark.django_db(transaction=True)
def test_without_a_session_the_code_is_not_used_up(
    browser: Browser, form: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They commit together: a row that cannot be written leaves the code as it was."""
    browser.ask()
    taken = Session.objects.create(
        session_key="a" * 40, session_data="", expire_date=Challenge.objects.get().expires_at
    )
    with monkeypatch.context() as patch:
        patch.setattr(sessions, "hash_key", lambda _key: taken.session_key)
        with pytest.raises(DatabaseError):
            browser.enter(browser.code)

    assert Challenge.objects.get().verified_at is None
    assert not User.objects.exists()
    browser.enter(browser.code)
    assert browser.is_signed_in


@pytest.mark.django_db(transaction=True)
def test_of_many_clicks_one_opens_a_session(browser: Browser) -> None:
    """In the form of this database: the portable one leaves the order to SQLite."""
    browser.ask()
    code, cookies = browser.code, {name: item.value for name, item in browser.client.cookies.items()}

    def click() -> str:
        client = Client()
        client.cookies.load(cookies)
        answer = client.post("/login/code/", {"code": code})
        assert answer.status_code == 302
        return str(client.cookies[COOKIE].value)

    keys = at_once([click] * 4)

    assert len(set(keys)) == 1, "each gets the same cookie"
    assert Session.objects.get().session_key == hash_key(str(keys[0]))


# What it costs ------------------------------------------------------------------------------------


def _sent(act: Callable[[], object]) -> list[str]:
    with statements() as sent:
        act()
    return [line.split()[0] for line in sent if "config" not in line]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_login_is_one_statement(browser: Browser) -> None:
    browser.sign_in()  # what is kept in memory is
    other = Browser()
    other.ask(factories.OTHER_PHONE)
    code = other.code

    assert _sent(lambda: other.enter(code)) == ["WITH"]
    assert other.is_signed_in


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_with_an_event_both_are_in_one_transaction(browser: Browser, project: ProjectConfig) -> None:
    factories.make_endpoint(project, EventType.LOGIN_SUCCEEDED)
    Browser().sign_in(factories.OTHER_PHONE)  # what is kept in memory is
    browser.ask()
    code = browser.code

    sent = _sent(lambda: browser.enter(code))

    assert sent[:2] == ["BEGIN", "WITH"]
    assert sent[-1] == "COMMIT"
    assert browser.is_signed_in
    assert [kind for kind, _ in factories.told()] == ["login.succeeded"] * 2


@pytest.mark.django_db
def test_ids_of_sessions_are_their_own(browser: Browser, form: bool) -> None:
    _, one = signed_in(browser)
    other = Browser()
    other.sign_in(factories.OTHER_PHONE)

    ids = set(Session.objects.values_list("id", flat=True))
    assert len(ids) == 2
    assert all(isinstance(item, uuid.UUID) for item in ids)
    assert one.id in ids


def test_the_statement_is_read_once_by_psycopg() -> None:
    """A longer one it would take apart at each login."""
    assert len(sql.extended(verify._VERIFY, sessions._OPEN)) <= MAX_CACHED_STATEMENT_LENGTH


def test_its_parameters_are_not_the_judgements(rf: RequestFactory) -> None:
    """One name with two values would be the worst of bugs."""
    opens = sessions.opens(request=rf.get("/"), challenge_id=uuid.uuid4())
    assert opens.queries
    names = set(re.findall(r"%\((\w+)\)s", verify._VERIFY))

    assert len(names) > 10
    assert not names & set(opens.queries.parameters)
    assert set(re.findall(r"%\((\w+)\)s", sessions._OPEN)) - {"now"} == set(opens.queries.parameters)
