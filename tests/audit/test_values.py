"""What an event says about a row: no secret, no whole number, whatever the column."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from audit import values
from channels.models import Sender
from events.models import Endpoint, EventType
from oidc.models import Client
from projects.models import LoginMethods, Project, TestNumber
from tests import factories
from users.models import User


@given(st.integers(min_value=10**7, max_value=10**15 - 1), st.text(max_size=5))
def test_no_whole_number_is_left_in_a_text(digits: int, around: str) -> None:
    assert str(digits) not in values.mask(f"+{digits}")
    assert values.mask(f"+{digits}").endswith(str(digits)[-2:])
    assert f"+{digits}" not in values.mask(f"{around}+{digits} {around}")


@pytest.mark.parametrize(
    "text", ["", "Acme", "106540352242922", "https://acme.example/a?b=1234567", "+1", "2026"]
)
def test_what_is_no_number_stays(text: str) -> None:
    """Ids of accounts and messages are no numbers of people."""
    assert values.mask(text) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (0.5, 0.5),
        ("text", "text"),
        ("+85251234567", "••••67"),
        (date(2026, 11, 26), "2026-11-26"),
        (datetime(2026, 11, 26, 12, tzinfo=UTC), "2026-11-26T12:00:00+00:00"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (["HK", "+85251234567"], ["HK", "••••67"]),
        (("a",), ["a"]),
        ({"from": "+85251234567", "more": {"x": [1]}}, {"from": "••••67", "more": {"x": [1]}}),
        (b"\x00secret", "••••"),
        (memoryview(b"secret"), "••••"),
    ],
)
def test_values_become_json(value: Any, shown: Any) -> None:
    assert values.plain(value) == shown


def test_a_long_text_is_cut() -> None:
    assert values.plain("x" * 5000) == "x" * 1000 + "…"


def test_a_difference_has_only_what_differs() -> None:
    before, after = {"a": 1, "b": 2, "gone": 3}, {"a": 1, "b": 5, "new": None}

    assert values.difference(before, after) == ({"b": 2, "gone": 3}, {"b": 5})
    assert values.difference(before, before) == ({}, {})


def test_secrets_are_words() -> None:
    before, after = {"same": "x", "other": "y", "gone": "z"}, {"same": "x", "other": "Y", "new": "n"}

    was, now = values.changed_secrets(before, after)

    assert was == {"other": "••••", "gone": "••••"}
    assert now == {"other": "changed", "new": "set"}


@pytest.mark.django_db
def test_a_project_is_described_without_its_key() -> None:
    project = Project.objects.get(id=factories.make_project().id)

    described = values.columns(project)

    assert described["name"] == "Acme"
    assert described["is_default"] is True
    assert described["archived_at"] is None
    assert "id" not in described
    assert values.columns(LoginMethods.objects.get())["project"] == "Acme"
    assert values.columns(LoginMethods.objects.get())["verify_phone_by"] == "whatsapp_or_sms"


@pytest.mark.django_db
def test_a_test_number_shows_neither_number_nor_code() -> None:
    project = factories.make_project()
    number = TestNumber(project_id=project.id, phone="+15005550199", code="424242", until=date(2030, 1, 1))
    number.save()

    described = str(values.columns(number))

    assert "••••99" in described
    assert not [text for text in ("5005550", "424242") if text in described]
    assert values.secrets(number) == {"code": "424242"}


def _state(**stored: Any) -> values.State:
    return {name: values.Column(stored=value) for name, value in stored.items()}


def test_what_is_stored_decides_and_what_is_masked_is_shown() -> None:
    before = _state(to="+85251234567", same="+85251234567", more={"from": "+15005550199", "b": [1]})
    after = _state(to="+85261234567", same="+85251234567", more={"from": "+85291234599", "b": [1]})

    was, now = values.changes(before, after)

    assert was == now == {"to": "••••67", "more": {"from": "••••99", "b": [1]}}
    assert values.changes(before, before) == ({}, {})


def test_a_column_never_prints_what_is_stored() -> None:
    assert "5123" not in repr(_state(to="+85251234567"))


@pytest.mark.parametrize(
    ("old", "new"), [(b"one", b"two"), (UUID(int=7), UUID(int=8)), ([1], [2]), (1.5, 2), ({"a": 1}, {})]
)
def test_any_kind_of_value_that_differs_is_named(old: Any, new: Any) -> None:
    was, now = values.changes(_state(it=old), _state(it=new))

    assert (was, now) == ({"it": values.plain(old)}, {"it": values.plain(new)})


@pytest.mark.parametrize(
    ("old", "new"), [((1, 2), [1, 2]), (UUID(int=7), str(UUID(int=7))), ({"a": (1,)}, {"a": [1]})]
)
def test_the_same_in_another_type_is_no_change(old: Any, new: Any) -> None:
    assert values.changes(_state(it=old), _state(it=new)) == ({}, {})


@pytest.mark.django_db
def test_rows_of_the_same_name_are_told_apart() -> None:
    """A client that moves between two projects that are both called Acme."""
    first, second = factories.make_project(), factories.make_project(slug="second", is_default=False)
    row = factories.make_client(first)
    before = values.state(row)
    row.project_id = second.id

    assert values.changes(before, values.state(row)) == ({"project": "Acme"}, {"project": "Acme"})


@pytest.mark.django_db
def test_a_test_number_that_is_replaced_by_a_similar_one_is_a_change() -> None:
    number = TestNumber(project_id=factories.make_project().id, phone="+15005550199", until=date(2030, 1, 1))
    before = values.state(number)
    number.phone = "+85291234599"

    assert values.changes(before, values.state(number)) == ({"phone": "••••99"}, {"phone": "••••99"})


@pytest.mark.django_db
def test_staff_are_described_with_groups_and_rights_but_no_password() -> None:
    user = User.objects.create_user("support", "a long enough password")
    user.groups.add(Group.objects.create(name="security"))
    user.user_permissions.add(Permission.objects.get(codename="view_sender"))

    described = values.columns(user)

    assert (described["groups"], described["user_permissions"]) == (["security"], ["view_sender"])
    assert not {"password", "session_salt", "last_login", "id"} & set(described)


@pytest.mark.django_db
def test_a_sender_has_its_secrets_by_name_only() -> None:
    factories.make_project(senders=False)
    sender = Sender(channel="sms", provider="twilio")
    sender.values = {"account_sid": "AC1", "auth_token": "kept secret"}
    sender.save()

    assert "kept secret" not in str(values.columns(sender))
    assert values.secrets(sender) == {"secrets.auth_token": "kept secret"}


@pytest.mark.django_db
def test_a_lost_encryption_key_stops_no_description() -> None:
    """Neither of the row nor of one that leads to it."""
    project = factories.make_project()
    endpoint = factories.make_endpoint(project, EventType.LOGIN_SUCCEEDED)
    with override_settings(AUTHSVC_ENCRYPTION_KEYS=["A" * 43 + "="]):
        row = Endpoint.objects.defer("secret").get(pk=endpoint.pk)
        assert values.columns(row)["url"] == endpoint.url
        assert values.secrets(row) == {"secret": "••••"}
        assert values._name_of(Endpoint, "id", endpoint.pk) == endpoint.url


@pytest.mark.django_db
def test_columns_that_were_not_read_are_left_out() -> None:
    project = factories.make_project()
    factories.make_client(project)
    row = Client.objects.only("name").get()

    assert set(values.columns(row)) == {"name"}


@pytest.mark.django_db
def test_a_row_that_is_gone_is_named_by_its_key() -> None:
    assert values._name_of(Project, "id", UUID(int=7)) == str(UUID(int=7))
    assert values._name_of(Project, "id", None) is None
