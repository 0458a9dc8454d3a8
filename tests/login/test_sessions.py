"""Sessions: opened with one INSERT, understood by Django, with a key that nobody reads in the table."""

import importlib
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from core.ids import new_id
from login import sessions
from login.models import Session
from login.sessions import hash_key
from otp.types import Verified
from projects.config import ProjectConfig
from tests import factories
from tests.login.conftest import Browser
from tests.threads import at_once
from users.models import User

pytestmark = pytest.mark.django_db
COOKIE = settings.SESSION_COOKIE_NAME


def a_verified_person(project: ProjectConfig) -> Verified:
    user = User.objects.create(project_id=project.id, phone=factories.PHONE, password="")
    return Verified(
        challenge_id=new_id(),
        user_id=user.id,
        session_salt=user.session_salt,
        session_hash=user.get_session_auth_hash(),
        is_new=True,
        phone=factories.PHONE,
        is_test=False,
        sms_sent=False,
        at=timezone.now(),
    )


def test_session_costs_one_statement(
    project: ProjectConfig, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    verified = a_verified_person(project)

    with django_assert_num_queries(1) as captured:
        sessions.open_session(request=RequestFactory().get("/"), verified=verified)

    assert captured.captured_queries[0]["sql"].startswith("INSERT")


def test_earlier_session_of_the_browser_costs_one_more(
    project: ProjectConfig, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    verified = a_verified_person(project)
    request = RequestFactory().get("/")
    request.COOKIES[COOKIE] = "k" * 32

    with django_assert_num_queries(2):
        sessions.open_session(request=request, verified=verified)


def test_session_knows_how_and_when_the_person_signed_in(browser: Browser) -> None:
    browser.client.defaults["HTTP_USER_AGENT"] = "Mozilla/5.0 Firefox/140"
    browser.sign_in()

    data, row = browser.client.session, Session.objects.get()

    assert data["amr"] == ["otp"]
    assert abs(data["auth_time"] - timezone.now().timestamp()) < 5
    assert (row.user, row.address, row.user_agent) == (
        User.objects.get(),
        "127.0.0.1",
        "Mozilla/5.0 Firefox/140",
    )


def a_form_of(secret: str) -> HttpRequest:
    """A post of a browser with this CSRF secret."""
    request = RequestFactory().post("/login/code/")
    request.META["CSRF_COOKIE"] = secret
    return request


def test_key_is_secret_long_and_its_own(project: ProjectConfig) -> None:
    """F2: different for each challenge and browser, and not the challenge's id."""
    ids = [new_id() for _ in range(100)]

    keys = {sessions.derive_key(a_form_of("a" * 32), challenge_id) for challenge_id in ids}

    assert len(keys) == 100
    assert all(len(bytes.fromhex(key)) == 24 for key in keys)
    assert not keys & {challenge_id.hex for challenge_id in ids}


def test_the_key_needs_what_only_the_browser_holds(project: ProjectConfig) -> None:
    """The server's secret and the challenge alone lead to no key."""
    challenge_id = new_id()

    keys = {sessions.derive_key(a_form_of(secret * 32), challenge_id) for secret in "abc"}
    keys |= {sessions.derive_key(RequestFactory().post("/login/code/"), challenge_id) for _ in range(3)}

    assert len(keys) == 6
    assert len({sessions.derive_key(a_form_of("a" * 32), challenge_id) for _ in range(3)}) == 1


def test_the_table_holds_no_key(browser: Browser) -> None:
    """Nothing in any row is the cookie, or opens a session as one."""
    browser.sign_in()
    cookie = browser.client.cookies[COOKIE].value
    row = Session.objects.values().get()

    assert cookie not in str(row)
    for value in row.values():
        browser.client.cookies[COOKIE] = str(value)
        assert not browser.is_signed_in
    browser.client.cookies[COOKIE] = cookie
    assert browser.is_signed_in


def test_staff_sessions_are_stored_the_same_way(project: ProjectConfig) -> None:
    """Also those that Django itself opens, keeps, turns and ends."""
    User.objects.create_superuser("anna", "a long password")
    client = Client()
    client.post("/admin/login/", {"username": "anna", "password": "a long password"})
    cookie = client.cookies[COOKIE].value

    assert Session.objects.get().session_key == hash_key(cookie)
    assert client.get("/admin/").status_code == 200
    client.cookies[COOKIE] = Session.objects.get().session_key
    assert client.get("/admin/").status_code == 302

    client.cookies[COOKIE] = cookie
    client.post("/admin/logout/")
    assert not Session.objects.exists()
    client.cookies[COOKIE] = cookie
    assert client.get("/admin/").status_code == 302


def test_djangos_own_ways_keep_to_it() -> None:
    """Created, found, saved, turned and deleted by the key; stored by its hash."""
    store = sessions.SessionStore()
    store["a"] = 1
    store.create()
    key = store.session_key
    assert key

    assert (store.exists(key), store.exists(hash_key(key))) == (True, False)
    store["b"] = 2
    store.save()
    assert sessions.SessionStore(key)["b"] == 2
    assert "b" not in sessions.SessionStore(hash_key(key))
    store.cycle_key()
    assert not store.exists(key)
    assert Session.objects.get().session_key == hash_key(store.session_key or "")
    sessions.SessionStore(hash_key(store.session_key or "")).delete()
    assert Session.objects.exists()
    store.flush()
    assert not Session.objects.exists()
    assert store.session_key is None
    store.delete()


def test_djangos_asynchronous_ways_do_the_same(transactional_db: None) -> None:
    """Not used yet, but they must not store a key in clear either."""

    async def use() -> str:
        store = sessions.SessionStore()
        await store.aset("a", 1)
        await store.acreate()
        key = store.session_key
        assert key
        assert await store.aexists(key)
        assert not await store.aexists(hash_key(key))
        assert await sessions.SessionStore(key).aget("a") == 1
        assert await sessions.SessionStore(hash_key(key)).aget("a") is None
        await sessions.SessionStore(hash_key(key)).adelete()
        await sessions.SessionStore().adelete()
        return key

    (key,) = at_once([async_to_sync(use)])  # in a thread of its own: this one may have a browser's loop
    assert isinstance(key, str)
    assert Session.objects.get().session_key == hash_key(key)
    at_once([async_to_sync(sessions.SessionStore(key).adelete)])
    assert not Session.objects.exists()


def test_a_repeated_code_from_another_browser_opens_nothing(browser: Browser, other_browser: Browser) -> None:
    """The login cookie and the code alone open no session, not even within the ten seconds."""
    browser.ask()
    code = browser.code
    other_browser.client.get("/login/")
    other_browser.client.cookies[settings.LOGIN_COOKIE_NAME] = browser.client.cookies[
        settings.LOGIN_COOKIE_NAME
    ].value
    browser.enter(code)

    other_browser.enter(code)

    assert browser.is_signed_in
    assert not other_browser.is_signed_in
    assert Session.objects.count() == 1


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_keys_of_earlier_releases_are_hashed_where_they_stand(rows: int) -> None:
    """People stay signed in over the upgrade, and no key stays behind in clear."""
    migration = importlib.import_module("login.migrations.0003_hash_session_keys")
    until = timezone.now() + timedelta(days=1)
    keys = [f"{nth:032x}" for nth in range(rows)]
    for key in keys:
        Session.objects.create(session_key=key, session_data=key, expire_date=until)
    new = Session.objects.create(session_key=hash_key("new"), session_data="new", expire_date=until)

    for _ in range(2):  # safe to repeat
        migration.hash_keys(apps, connection.schema_editor(), batch=3)

    assert {row.session_data: row.session_key for row in Session.objects.all()} == {
        **{key: hash_key(key) for key in keys},
        "new": new.session_key,
    }
