"""The cookie of browsers that logged in before, without pages: entries, their order, their seals, and what is asked of
the database. What a person notices of it is in tests/login."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import LazySettings
from django.core import signing
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from abuse import known_browsers
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from users.models import User

pytestmark = pytest.mark.django_db

HALF_A_YEAR = 180 * 86_400
PHONES = [f"+8525123400{nth}" for nth in range(10)]


@dataclass
class Jar:
    """One browser: the cookie that it holds and sends."""

    project: ProjectConfig
    value: str = ""
    cookie: Any = field(default=None)

    def _request(self) -> Any:
        request = RequestFactory().get("/login/")
        if self.value:
            request.COOKIES["known"] = self.value
        return request

    def counts_under(self, phone: str, project: ProjectConfig | None = None) -> str:
        return known_browsers.subject(self._request(), project or self.project, factories.phone(phone))

    def logs_in(self, phone: str, *, salt: str = "") -> None:
        response = HttpResponse()
        user = owner_of(self.project, phone)
        known_browsers.remember(
            self._request(), response, self.project, phone=phone, session_salt=salt or user.session_salt
        )
        self.cookie = response.cookies["known"]
        self.value = self.cookie.value

    @property
    def rows(self) -> list[list[str]]:
        rows: list[list[str]] = signing.loads(self.value, salt="login.known")
        return rows


def owner_of(project: ProjectConfig, phone: str) -> User:
    return User.objects.get_or_create(project_id=project.id, phone=phone, username=None)[0]


@pytest.fixture
def project() -> ProjectConfig:
    return factories.make_project()


@pytest.fixture
def jar(project: ProjectConfig) -> Jar:
    return Jar(project)


def test_the_newest_login_stands_first_and_keeps_what_it_counted_under(jar: Jar) -> None:
    for phone in PHONES[:3]:
        jar.logs_in(phone)
    before = jar.counts_under(PHONES[0])

    jar.logs_in(PHONES[0])

    assert jar.counts_under(PHONES[0]) == before == jar.rows[0][1]
    assert len(jar.rows) == 3


@pytest.mark.parametrize(("count", "kept"), [(1, 1), (7, 7), (8, 8), (9, 8), (10, 8)])
def test_the_number_that_was_used_longest_ago_is_forgotten(jar: Jar, count: int, kept: int) -> None:
    for phone in PHONES[:count]:
        jar.logs_in(phone)

    known = [phone for phone in PHONES if jar.counts_under(phone)]
    assert known == PHONES[count - kept : count]
    assert len(jar.rows) == kept


@examples(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(logins=st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_whatever_the_order_the_last_eight_numbers_are_known(jar: Jar, logins: list[int]) -> None:
    """As a list of the numbers by their last login says."""
    jar.value = ""
    for nth in logins:
        jar.logs_in(PHONES[nth])

    newest_first = list(dict.fromkeys(reversed(logins)))[:8]
    assert {nth for nth in range(10) if jar.counts_under(PHONES[nth])} == set(newest_first)
    assert len({row[1] for row in jar.rows}) == len(newest_first)


def test_two_browsers_of_one_person_count_apart(jar: Jar, project: ProjectConfig) -> None:
    other = Jar(project)
    jar.logs_in(PHONES[0])
    other.logs_in(PHONES[0])

    assert jar.counts_under(PHONES[0]) != other.counts_under(PHONES[0])


def test_two_numbers_in_one_browser_count_apart(jar: Jar) -> None:
    jar.logs_in(PHONES[0])
    jar.logs_in(PHONES[1])

    assert jar.counts_under(PHONES[0]) != jar.counts_under(PHONES[1])


def test_the_same_number_of_another_project_is_unknown(jar: Jar) -> None:
    other = factories.make_project(slug="other", is_default=False)
    owner_of(other, PHONES[0])
    jar.logs_in(PHONES[0])

    assert jar.counts_under(PHONES[0], other) == ""


# What ends it ----------------------------------------------------------------------------------------


def test_another_session_salt_ends_it_and_a_login_begins_it_again(jar: Jar) -> None:
    jar.logs_in(PHONES[0])
    User.objects.update(session_salt="0" * 32)
    assert jar.counts_under(PHONES[0]) == ""

    jar.logs_in(PHONES[0])
    assert jar.counts_under(PHONES[0]) != ""


def test_a_number_that_nobody_has_any_more_is_unknown(jar: Jar) -> None:
    jar.logs_in(PHONES[0])
    User.objects.all().delete()

    assert jar.counts_under(PHONES[0]) == ""


@pytest.mark.parametrize(("seconds", "known"), [(HALF_A_YEAR - 2, True), (HALF_A_YEAR + 2, False)])
def test_it_is_half_a_year_old_at_most(jar: Jar, seconds: int, known: bool) -> None:
    """Its signature says when: a browser that keeps it longer gains nothing."""
    jar.logs_in(PHONES[0])

    with later(seconds):
        assert bool(jar.counts_under(PHONES[0])) is known


def test_each_login_begins_the_half_year_anew(jar: Jar) -> None:
    jar.logs_in(PHONES[0])
    with later(HALF_A_YEAR - 10):
        jar.logs_in(PHONES[1])
    with later(HALF_A_YEAR + 10):
        assert jar.counts_under(PHONES[0]) != ""


# Seals and keys --------------------------------------------------------------------------------------


@pytest.mark.parametrize("swapped", [0, 1, 2])
def test_no_part_of_an_entry_fits_another(jar: Jar, swapped: int) -> None:
    """Even where the signature is right."""
    jar.logs_in(PHONES[0])
    jar.logs_in(PHONES[1])
    first, second = jar.rows
    first[swapped], second[swapped] = second[swapped], first[swapped]
    jar.value = signing.dumps([first, second], salt="login.known")

    assert [jar.counts_under(phone) for phone in PHONES[:2]] == ["", ""]


def test_more_entries_than_we_write_are_not_read(jar: Jar) -> None:
    jar.logs_in(PHONES[0])
    (row,) = jar.rows
    jar.value = signing.dumps([["n", "b", "s"]] * 8 + [row], salt="login.known")

    assert jar.counts_under(PHONES[0]) == ""


@pytest.mark.parametrize(
    "content", [None, 7, "text", {"a": 1}, [None], [["number", "browser"]], [["a", "b", "c", "d"]], [[]]]
)
def test_signed_content_of_another_form_counts_as_none(jar: Jar, content: object) -> None:
    """As a version of tomorrow might write it."""
    jar.value = signing.dumps(content, salt="login.known")

    assert jar.counts_under(PHONES[0]) == ""
    jar.logs_in(PHONES[0])
    assert len(jar.rows) == 1


def test_after_a_rotation_it_counts_under_the_same_and_is_sealed_anew(
    jar: Jar, settings: LazySettings
) -> None:
    """D7."""
    old = settings.SECRET_KEY
    jar.logs_in(PHONES[0])
    before, rows = jar.counts_under(PHONES[0]), jar.rows
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new-" * 12, [old]
    assert jar.counts_under(PHONES[0]) == before

    jar.logs_in(PHONES[0])

    settings.SECRET_KEY_FALLBACKS = []
    assert jar.counts_under(PHONES[0]) == before
    assert jar.rows[0][0] != rows[0][0]
    assert jar.rows[0][2] != rows[0][2]
    assert len(jar.rows) == 1


def test_without_the_old_key_it_is_unknown(jar: Jar, settings: LazySettings) -> None:
    jar.logs_in(PHONES[0])
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new-" * 12, []

    assert jar.counts_under(PHONES[0]) == ""


# The database and the cookie -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logged_in", "typed", "queries"),
    [([], 0, 0), ([0], 1, 0), ([0], 0, 1), ([0, 1, 2], 1, 1)],
    ids=["no cookie", "another number", "its number", "one of three"],
)
def test_the_database_is_asked_only_about_a_number_of_the_cookie(
    jar: Jar, logged_in: list[int], typed: int, queries: int
) -> None:
    for nth in logged_in:
        jar.logs_in(PHONES[nth])

    with CaptureQueriesContext(connection) as asked:
        jar.counts_under(PHONES[typed])

    assert len(asked) == queries


def test_the_cookie_is_for_the_login_pages_alone(jar: Jar, settings: LazySettings) -> None:
    jar.logs_in(PHONES[0])

    assert (jar.cookie["path"], jar.cookie["max-age"]) == ("/login/", HALF_A_YEAR)
    assert (jar.cookie["httponly"], jar.cookie["samesite"]) == (True, "Lax")
    assert not jar.cookie["secure"]
    settings.SESSION_COOKIE_SECURE = True
    jar.logs_in(PHONES[0])
    assert jar.cookie["secure"] is True


def test_eight_numbers_fit_into_a_header(jar: Jar) -> None:
    for phone in PHONES:
        jar.logs_in(phone, salt=uuid.uuid4().hex)

    assert len(jar.value) < 1200
    assert not any(phone[1:] in str(jar.rows) for phone in PHONES)
