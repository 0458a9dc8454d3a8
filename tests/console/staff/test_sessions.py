"""The list of staff's sessions."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from login.models import Session
from tests.console.staff.support import ELSEWHERE, HOME, PASSWORD, browser, is_in, password, sign_in
from tests.statements import statements
from users.models import User

SESSIONS, END = "/admin/sessions/", "/admin/sessions/end/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def colleague() -> User:
    return User.objects.create_user("colleague", PASSWORD)


def test_a_session_has_device_address_and_times(root: User) -> None:
    client = browser()
    client.defaults["HTTP_USER_AGENT"] = FIREFOX
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        sign_in(client, root)
        page = client.get(SESSIONS).content.decode()
        for text in ("Firefox", "Linux", HOME, "this browser", "last seen"):
            assert text in page, text
        seen = client.session["staff_seen_at"]
        clock.shift(timedelta(minutes=4))
        client.get("/admin/")
        assert client.session["staff_seen_at"] == seen
        clock.shift(timedelta(minutes=2))
        client.get("/admin/")

        assert client.session["staff_seen_at"] == timezone.now().timestamp()
        assert Session.objects.get(user=root).address == HOME


def test_noting_it_does_not_lengthen_the_session(root: User) -> None:
    client = browser()
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        sign_in(client, root)
        for _ in range(11):
            clock.shift(timedelta(hours=1))
            assert is_in(client)
        clock.shift(timedelta(hours=1, seconds=1))
        assert not is_in(client)
    assert Session.objects.get(user=root).expire_date <= now + timedelta(hours=12)


def test_one_session_is_ended(root: User) -> None:
    client, other, third = browser(), browser(ELSEWHERE), browser()
    for one in (client, other, third):
        sign_in(one, root)
    row = Session.objects.get(user=root, address=ELSEWHERE)

    answer = client.post(END, {"session": str(row.id)})

    assert answer["Location"] == SESSIONS
    assert [is_in(one) for one in (client, other, third)] == [True, False, True]


def test_all_others_are_ended(root: User, colleague: User) -> None:
    """One's own; the superuser's button spares colleagues."""
    client, other, theirs = browser(), browser(), browser()
    sign_in(client, root)
    sign_in(other, root)
    password(theirs, "colleague")

    client.post(END, {"others": "1"})

    assert [is_in(one) for one in (client, other, theirs)] == [True, False, True]


def test_superusers_see_and_end_everybodys(root: User, colleague: User) -> None:
    client, theirs = browser(), browser(ELSEWHERE)
    sign_in(client, root)
    password(theirs, "colleague")
    page = client.get(SESSIONS).content.decode()
    assert "colleague" in page
    assert ELSEWHERE in page

    client.post(END, {"session": str(Session.objects.get(user=colleague).id)})

    assert not is_in(theirs)


def test_others_see_and_end_their_own_only(root: User, colleague: User) -> None:
    client, theirs = browser(), browser(ELSEWHERE)
    sign_in(client, root)
    password(theirs, "colleague")
    page = theirs.get(SESSIONS).content.decode()
    assert HOME not in page

    theirs.post(END, {"session": str(Session.objects.get(user=root).id)})
    theirs.post(END, {"others": "1"})

    assert is_in(client)
    assert is_in(theirs)


@pytest.mark.parametrize("session", ["", "nonsense", "01a20b58-e227-7000-8000-000000000000", "\0"])
def test_an_unknown_session_is_no_error(session: str, root: User) -> None:
    client = browser()
    sign_in(client, root)

    assert client.post(END, {"session": session}).status_code == 302
    assert is_in(client)


def test_people_are_not_in_the_list(root: User) -> None:
    """Superusers see staff here; people have their own page under Users."""
    Session.objects.create(
        session_key="x", expire_date=timezone.now() + timedelta(days=1), address="192.0.2.77"
    )
    client = browser()
    sign_in(client, root)

    assert "192.0.2.77" not in client.get(SESSIONS).content.decode()


def test_a_link_ends_nothing(root: User) -> None:
    client, other = browser(), browser()
    sign_in(client, root)
    sign_in(other, root)

    assert client.get(f"{END}?others=1").status_code == 405
    assert is_in(other)


def test_the_list_takes_few_statements(root: User, colleague: User) -> None:
    client = browser()
    sign_in(client, root)
    for _ in range(30):
        password(browser(), "colleague")

    with statements() as made:
        assert client.get(SESSIONS).status_code == 200
    assert len(made) <= 15
