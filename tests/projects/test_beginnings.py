"""What tests begin with (tests/factories.py) is what saving the same would leave, in the tables and in memory."""

from typing import Any

import pytest

from channels.models import Sender
from channels.senders import senders
from core.config_models import ConfigVersion
from projects.config import projects
from projects.models import LoginMethods, Project
from tests import factories

pytestmark = pytest.mark.django_db

ROUTING = [{"countries": ["IN"], "order": ["sms"]}]


def _columns(row: Any) -> dict[str, Any]:
    """Without what no two rows share."""
    own = ("id", "project_id", "created_at", "updated_at")
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.attname not in own
    }


def test_a_project_is_in_its_tables_as_a_save_leaves_it() -> None:
    made = factories.make_project(otp_length=8, routing=ROUTING, countries_allowed=["HK", "IN"])
    rows = [Project.objects.get(id=made.id), LoginMethods.objects.get(project_id=made.id)]
    found = [_columns(row) for row in rows]
    Project.objects.all().delete()

    saved = Project.objects.create(slug="acme", name="Acme", is_default=True)
    LoginMethods.objects.filter(project=saved).update(
        otp_length=8, routing=ROUTING, countries_allowed=["HK", "IN"]
    )
    assert found == [_columns(saved), _columns(LoginMethods.objects.get(project=saved))]


def test_senders_are_in_their_table_as_a_save_leaves_them() -> None:
    factories.make_project()
    found = [_columns(row) | {"settings": None} for row in Sender.objects.order_by("channel")]
    Sender.objects.all().delete()

    for channel in ("sms", "whatsapp"):
        factories.make_sender(channel)
    assert found == [_columns(row) | {"settings": None} for row in Sender.objects.order_by("channel")]


@pytest.mark.parametrize("fields", [{}, {"otp_length": 8, "countries_allowed": ["HK"]}, {"routing": ROUTING}])
def test_what_is_in_memory_is_what_would_be_read(fields: dict[str, Any]) -> None:
    made = factories.make_project(**fields)
    kept = projects.get(), senders.get()
    assert kept[0].by_id == {made.id: made}

    projects.clear()
    senders.clear()
    assert (projects.get(), senders.get()) == kept


def test_the_second_project_is_beside_the_first() -> None:
    """It is not all there is, so everything is read."""
    first = factories.make_project()
    second = factories.make_project(slug="other", is_default=False)

    assert projects.get().by_id == {first.id: first, second.id: second}
    assert projects.get().default == first
    assert Sender.objects.count() == 2


def test_each_raises_the_version() -> None:
    factories.make_project()
    before = ConfigVersion.objects.get().value
    factories.make_project(slug="other", is_default=False)
    assert ConfigVersion.objects.get().value == before + 1
