"""Passwords of staff: two hashes at once, and what is stored."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connections
from django.test import Client
from pytest_django import Settings

from tests import factories
from tests.console.fresh import freshly
from tests.console.staff_login.support import PASSWORD, addresses, log_in
from users import hashing
from users.models import User


class _Gauge:
    """How many hashes are made at the same moment, at most."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.most = self.made = 0
        self._lock = threading.Lock()
        real = PBKDF2PasswordHasher.encode

        def encode(hasher: Any, password: str, salt: str, iterations: int | None = None) -> str:
            with self._lock:
                self.now += 1
                self.made += 1
                self.most = max(self.most, self.now)
            try:
                return real(hasher, password, salt, iterations)
            finally:
                with self._lock:
                    self.now -= 1

        monkeypatch.setattr(PBKDF2PasswordHasher, "encode", encode)


@pytest.mark.django_db(transaction=True)
def test_sixteen_at_once_make_two_hashes_at_most_and_people_do_not_wait(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """Others are told to come back at once, so that no thread waits that people need."""
    settings.PASSWORD_HASHERS = ["users.hashing.BoundedHasher"]
    settings.AUTHSVC_LIMITS = dict.fromkeys(("staff.address", "staff.name", "staff.browser"), "1000/1h")
    factories.make_project()
    User.objects.create_superuser("root", PASSWORD)
    known = Client()
    log_in(known)
    gauge = _Gauge(monkeypatch)
    begun = threading.Barrier(17)

    def stranger(number: int) -> int:
        try:
            begun.wait(10)
            return int(log_in(Client(), "root", "wrong", address=addresses(16)[number]).status_code)
        finally:
            connections.close_all()

    def owner() -> int:
        try:
            begun.wait(10)
            return int(log_in(known).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(17) as pool:
        strangers = [pool.submit(stranger, number) for number in range(16)]
        mine = pool.submit(owner)
        statuses = Counter(item.result() for item in strangers)
        assert mine.result() == 302

    assert gauge.most <= 2
    assert set(statuses) <= {200, 503}
    assert statuses[503] >= 1
    assert gauge.made == statuses[200] + 1


def test_a_place_is_given_back_whatever_happens() -> None:
    for _ in range(5):
        with pytest.raises(RuntimeError), hashing.slot(unknown_browser=True):
            raise RuntimeError
    with (
        hashing.slot(unknown_browser=True),
        hashing.slot(unknown_browser=False),
        pytest.raises(hashing.Busy),
        hashing.slot(unknown_browser=False),
    ):
        pass
    with hashing.slot(unknown_browser=True):
        pass


def test_unknown_browsers_never_take_both_places() -> None:
    """A flood of the form leaves one for those who were here before."""
    with hashing.slot(unknown_browser=True), pytest.raises(hashing.Busy), hashing.slot(unknown_browser=True):
        pass
    with hashing.slot(unknown_browser=True), hashing.slot(unknown_browser=False):
        pass


def test_hashing_without_a_place_waits_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forms that set a password, commands, short client secrets: the same two."""
    hasher = hashing.BoundedHasher()
    monkeypatch.setattr(hashing, "_MAX_WAIT_SECONDS", 0.05)

    with hashing.slot(unknown_browser=False), hashing.slot(unknown_browser=False):
        assert hasher.encode("inside", "salt", 1)  # one place is enough
        with ThreadPoolExecutor(1) as pool, pytest.raises(hashing.Busy):
            pool.submit(hasher.encode, "outside", "salt", 1).result()
    assert hasher.verify("outside", hasher.encode("outside", "salt", 1))


def test_what_is_stored_is_djangos_own() -> None:
    """Passwords of before work, and would after."""
    ours, theirs = (
        hashing.BoundedHasher().encode("x", "salt", 3),
        PBKDF2PasswordHasher().encode("x", "salt", 3),
    )
    assert ours == theirs


@pytest.mark.django_db(transaction=True)
def test_busy_pages_say_so(root: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new member of staff, while both places are taken."""
    browser = Client()
    browser.force_login(root)
    freshly(browser)
    settings.PASSWORD_HASHERS = ["users.hashing.BoundedHasher"]
    monkeypatch.setattr(hashing, "_MAX_WAIT_SECONDS", 0.01)
    form = {"username": "new", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}

    with (
        ThreadPoolExecutor(1) as pool,
        hashing.slot(unknown_browser=False),
        hashing.slot(unknown_browser=False),
    ):
        answer = pool.submit(_post_and_close, browser, "/admin/users/user/add/", form).result()

    assert (answer.status_code, answer["Retry-After"]) == (503, "1")


def _post_and_close(browser: Client, path: str, form: dict[str, str]) -> Any:
    try:
        return browser.post(path, form)
    finally:
        connections.close_all()
