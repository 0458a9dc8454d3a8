"""The login methods page: bounds beside the fields, what does not apply, what is said after a save, its cost."""

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from channels.models import Sender
from core.config_version import Cached
from projects import config
from projects.config import ProjectConfig
from projects.models import LoginMethods
from tests import factories
from tests.console.login_methods.support import methods_form, page_of, routes_form, save_methods
from users.models import User

MOST_STATEMENTS = 15


def said(client: Client, **changes: Any) -> list[str]:
    """What the page says after a save."""
    row = LoginMethods.objects.get(project__slug="acme")
    answer = client.post(f"/admin/projects/loginmethods/{row.pk}/change/", methods_form(client, **changes))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    return [str(message) for message in get_messages(answer.wsgi_request)]


# Words ------------------------------------------------------------------------------------------------


def test_other_methods_are_there_and_not_available(staff: Client) -> None:
    page = page_of(staff)

    for words in ("Email", "Username", "Social login", "Passkey", "Password"):
        assert re.search(rf'value="" disabled> {words} <span>not available</span>', page), words


@pytest.mark.parametrize("value", ["", "email", "password"])
@pytest.mark.parametrize("field", ["identifier", "authentication"])
def test_what_is_not_available_cannot_be_chosen(field: str, value: str, staff: Client) -> None:
    assert save_methods(staff, **{field: value})


@pytest.mark.parametrize(
    "text",
    [
        "6 to 10 digits.",
        "60 to 600 seconds.",
        "10 to 300 seconds.",
        "1 to 10 wrong codes.",
        "5 to 300 seconds.",
    ],
)
def test_bounds_stand_beside_the_fields(text: str, staff: Client) -> None:
    assert text in page_of(staff)


def test_bounds_are_told_to_the_browser(staff: Client) -> None:
    field = re.search(r"<input[^>]*name=\"otp_length\"[^>]*>", page_of(staff))

    assert field
    assert 'min="6"' in field[0]
    assert 'max="10"' in field[0]


@pytest.mark.parametrize(("base", "waits"), [(30, "30, 60, 120"), (45, "45, 90, 180")])
def test_the_help_of_the_waits_follows_their_value(base: int, waits: str, staff: Client) -> None:
    LoginMethods.objects.update(resend_after_seconds=base)

    assert f"Grows with every send: {waits} seconds" in page_of(staff)


def test_the_help_follows_what_was_typed_even_when_it_is_refused(staff: Client) -> None:
    row = LoginMethods.objects.get()
    answer = staff.post(
        f"/admin/projects/loginmethods/{row.pk}/change/", methods_form(staff, resend_after_seconds=400)
    )

    assert "400, 800, 1600 seconds" in answer.content.decode()


# What does not apply ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["sms_only", "whatsapp_only"])
@pytest.mark.parametrize("wait", ["", "1", "9999", "soon", None])
def test_the_fallback_of_one_channel_is_ignored_and_kept(mode: str, wait: str | None, staff: Client) -> None:
    before = LoginMethods.objects.get()

    changes = {"verify_phone_by": mode, "fallback_wait_seconds": wait, "fallback_enabled": None}
    assert save_methods(staff, **changes) == []

    after = LoginMethods.objects.get()
    assert after.verify_phone_by == mode
    assert (after.fallback_enabled, after.fallback_wait_seconds) == (
        before.fallback_enabled,
        before.fallback_wait_seconds,
    )


def test_a_stored_wait_does_not_bind_a_mode_that_does_not_wait(staff: Client) -> None:
    LoginMethods.objects.update(fallback_wait_seconds=120)

    changes = {"verify_phone_by": "sms_only", "otp_valid_seconds": 60, "resend_after_seconds": 30}
    assert save_methods(staff, **changes) == []
    assert save_methods(staff, **(changes | {"verify_phone_by": "whatsapp_or_sms"})) == [
        "Must be below the 60 seconds that a code is valid."
    ]


# After a save -----------------------------------------------------------------------------------------


def test_a_save_says_what_changes_for_users(staff: Client) -> None:
    texts = said(
        staff,
        otp_valid_seconds=300,
        **routes_form({"countries": ["IN"], "order": "whatsapp sms", "wait_seconds": "12"}),
    )

    assert "Codes now live 5 minutes." in texts
    assert "Users in India get WhatsApp first, SMS after 12 s." in texts


def test_a_save_that_changes_nothing_says_nothing_of_users(staff: Client) -> None:
    assert all("Users" not in text and "odes" not in text for text in said(staff))


def test_a_mode_that_waits_for_its_senders_says_so(staff: Client) -> None:
    Sender.objects.filter(channel="sms").delete()
    row = LoginMethods.objects.get()
    address = f"/admin/projects/loginmethods/{row.pk}/change/"

    assert "Nobody can log in yet: no sender for SMS." in staff.get(address).content.decode()

    factories.make_sender("sms", project=None)
    assert "Nobody can log in yet" not in staff.get(address).content.decode()


def test_what_is_refused_changes_nothing_at_all(staff: Client) -> None:
    before = LoginMethods.objects.values().get()

    errors = save_methods(
        staff,
        otp_length=8,
        **routes_form({"countries": ["IN"], "wait_seconds": "4", "order": "whatsapp sms"}),
    )

    assert errors
    assert LoginMethods.objects.values().get() == before


def test_every_process_acts_on_it_at_once(staff: Client, project: ProjectConfig) -> None:
    """Decision 13: two memories, as two processes have them, and neither saved it."""
    one: Cached[Any] = Cached(config._load)
    two: Cached[Any] = Cached(config._load)
    assert one.get().by_id[project.id].route("IN").wait_seconds == 20
    assert two.get().by_id[project.id].otp_length == 6

    form = routes_form({"countries": ["IN"], "order": "whatsapp sms", "wait_seconds": "12"})
    assert save_methods(staff, otp_length=8, **form) == []

    for memory in (one, two):
        value = memory.get().by_id[project.id]
        assert (value.otp_length, value.route("IN").wait_seconds) == (8, 12)


def test_routes_and_countries_are_in_the_history(staff: Client) -> None:
    """K6."""
    save_methods(staff, **routes_form({"countries": ["IN"], "order": "sms"}))
    row = LoginMethods.objects.get()

    assert "Routing" in staff.get(f"/admin/projects/loginmethods/{row.pk}/history/").content.decode()


# Cost and rights --------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 60])
def test_the_page_costs_few_statements_however_many_routes(count: int, staff: Client) -> None:
    from users.phones import calling_codes

    codes = list(calling_codes())[:count]
    LoginMethods.objects.update(routing=[{"countries": [code], "order": ["sms"]} for code in codes])
    for number in range(count // 10):
        factories.make_sender("sms", name=f"sender-{number}")
    page_of(staff)

    with CaptureQueriesContext(connection) as sent:
        page = page_of(staff)

    assert page.count('name="routing-') > count
    assert len(sent) <= MOST_STATEMENTS, [line["sql"][:120] for line in sent]


def test_a_save_costs_few_statements(staff: Client) -> None:
    row = LoginMethods.objects.get()
    form = methods_form(staff, otp_length=8)

    with CaptureQueriesContext(connection) as sent:
        staff.post(f"/admin/projects/loginmethods/{row.pk}/change/", form)

    kept = [line["sql"] for line in sent if not re.search("SAVEPOINT|^BEGIN|^COMMIT", line["sql"])]
    # SQLite is asked for the new version of the configuration in a statement of its own.
    assert len(kept) <= 23, "\n".join(line[:110] for line in kept)


def test_who_may_only_look_sees_what_is_stored_and_saves_nothing(
    client: Client, project: ProjectConfig
) -> None:
    from django.contrib.auth.models import Permission

    viewer = User.objects.create_user("viewer", "a long enough password")
    viewer.user_permissions.add(Permission.objects.get(codename="view_loginmethods"))
    client.force_login(viewer)
    LoginMethods.objects.update(
        routing=[{"countries": ["IN"], "order": ["sms"]}],
        countries_allowed=["GB", "+881"],
        countries_pinned=["GB"],
    )
    row = LoginMethods.objects.get()

    page = page_of(client)
    answer = client.post(f"/admin/projects/loginmethods/{row.pk}/change/", {"otp_length": 8})

    assert "IN: sms" in page
    assert "United Kingdom, +881" in page
    assert 'name="otp_length"' not in page
    assert answer.status_code == 403
    assert LoginMethods.objects.get().otp_length == 6
