"""Archiving, restoring and deleting a project: what is possible, and what a request sees of it."""

import time
from typing import Any

import pytest
from django.utils import timezone

from projects import archiving, removal
from projects.archiving import NotPossible
from projects.config import Closed, projects
from projects.models import Domain, LoginMethods, Project, TestNumber
from projects.tasks import remove_projects
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def default() -> Project:
    return Project.objects.get(id=factories.make_project(senders=False).id)


@pytest.fixture
def shop(default: Project) -> Project:
    made = factories.make_project(slug="shop", name="Shop", is_default=False, senders=False)
    row = Project.objects.get(id=made.id)
    for host in ("shop.example", "shop.example:8443", "www.shop.example"):
        Domain.objects.create(project=row, host=host)
    return row


def test_an_archived_project_is_closed_and_keeps_its_hosts(shop: Project) -> None:
    archiving.archive(shop)

    claim = projects.get().claim_of("shop.example")
    assert (claim.project, claim.closed, claim.is_named) == (None, Closed.ARCHIVED, True)
    assert shop.id not in projects.get().by_id


def test_a_restored_project_is_open_again(shop: Project) -> None:
    archiving.archive(shop)
    archiving.restore(shop)

    claim = projects.get().claim_of("shop.example")
    assert claim.project
    assert (claim.project.slug, claim.closed) == ("shop", None)


def test_archiving_and_restoring_twice_change_nothing(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    archiving.archive(shop)
    since = shop.archived_at

    monkeypatch.setattr(Project, "save", lambda *_args, **_fields: pytest.fail("saved again"))
    archiving.archive(shop)
    assert shop.archived_at == since

    Project.objects.filter(pk=shop.pk).update(archived_at=None)
    archiving.restore(shop)


def test_the_default_project_is_never_archived(default: Project) -> None:
    with pytest.raises(NotPossible, match="default project"):
        archiving.archive(default)

    default.refresh_from_db()
    assert default.archived_at is None


def test_a_project_that_is_being_deleted_is_not_restored(shop: Project) -> None:
    removal.begin(shop)

    with pytest.raises(NotPossible, match="being deleted"):
        archiving.restore(shop)


def test_deletion_archives_the_project_first(shop: Project) -> None:
    archiving.archive(shop)
    since = shop.archived_at

    removal.begin(shop)

    shop.refresh_from_db()
    assert shop.archived_at == since
    assert shop.deletion_began_at
    began = shop.deletion_began_at
    removal.begin(shop)
    shop.refresh_from_db()
    assert shop.deletion_began_at == began


def test_the_default_project_is_deleted_only_as_the_last_one(default: Project, shop: Project) -> None:
    assert "default project" in removal.problem(default)
    assert removal.problem(shop) == ""
    with pytest.raises(NotPossible):
        removal.begin(default)

    assert removal.remove(shop)
    assert removal.problem(default) == ""
    removal.begin(default)
    default.refresh_from_db()
    assert not default.is_default


def test_the_task_finishes_deletions_in_the_order_of_their_start(
    default: Project, shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Project.objects.create(slug="other", name="Other")
    order: list[str] = []
    real = removal.remove

    def remove(project: Project, **named: Any) -> bool:
        order.append(project.slug)
        return real(project, **named)

    monkeypatch.setattr(removal, "remove", remove)
    removal.begin(other)
    removal.begin(shop)

    remove_projects()

    assert order == ["other", "shop"]
    assert [project.slug for project in Project.objects.all()] == [default.slug]


def test_a_deletion_without_time_leaves_the_project_for_the_next_round(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]

    def monotonic() -> float:
        clock[0] += 1
        return clock[0]

    monkeypatch.setattr(time, "monotonic", monotonic)
    removal.begin(shop)

    assert removal.remove(shop, seconds=0.5) is False
    assert Domain.objects.filter(project=shop).count() == 3
    assert removal.remove(shop, seconds=100) is True
    assert not Project.objects.filter(pk=shop.pk).exists()


def test_a_small_batch_deletes_every_row_too(shop: Project) -> None:
    assert removal.remove(shop, batch=1)

    assert not Domain.objects.exists()


def test_rows_are_counted_by_their_name_for_people(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert removal.counts(shop) == {"login methods": "1", "domains": "3"}

    monkeypatch.setattr(removal, "_MAX_COUNT", 2)
    assert removal.counts(shop)["domains"] == "> 2"
    monkeypatch.setattr(removal, "_MAX_COUNT", 3)
    assert removal.counts(shop)["domains"] == "3"


# Loading -------------------------------------------------------------------------------------------


def test_a_project_without_countries_is_not_set_up(shop: Project) -> None:
    LoginMethods.objects.get(project=shop).save()
    row = LoginMethods.objects.get(project=shop)
    row.countries_allowed = []
    row.save()

    assert projects.get().claim_of("shop.example").closed is Closed.NOT_SET_UP


def test_a_project_without_login_methods_is_not_set_up(shop: Project) -> None:
    LoginMethods.objects.get(project=shop).delete()

    assert projects.get().claim_of("shop.example").closed is Closed.NOT_SET_UP


def test_the_ports_of_a_host_name_are_one_claim(shop: Project) -> None:
    current = projects.get()

    assert current.claim_of("shop.example").ports == {None, 8443}
    assert current.claim_of("www.shop.example").ports == {None}


def test_a_host_that_cannot_be_read_is_skipped(shop: Project) -> None:
    Domain.objects.filter(host="www.shop.example").update(host="no host")
    Project.objects.get(pk=shop.pk).save()

    assert not projects.get().claim_of("www.shop.example").is_named


def test_unclaimed_hosts_belong_to_the_default_project(default: Project, shop: Project) -> None:
    current = projects.get()
    claim = current.claim_of("unknown.example")

    assert claim == current.default_claim
    assert claim.project == current.default
    assert current.default
    assert (current.default.slug, claim.is_named, current.default_has_domains) == ("acme", False, False)
    Domain.objects.create(project=default, host="acme.example")
    assert projects.get().default_has_domains


@pytest.mark.parametrize(
    ("allowed", "countries", "networks", "germany"),
    [
        (["all"], None, frozenset(), True),
        (["all", "+881"], None, frozenset({"+881"}), True),
        (["HK", "+870"], frozenset({"HK"}), frozenset({"+870"}), False),
    ],
)
def test_countries_and_networks_are_told_apart(
    allowed: list[str],
    countries: frozenset[str] | None,
    networks: frozenset[str],
    germany: bool,
    default: Project,
) -> None:
    row = LoginMethods.objects.get(project=default)
    row.countries_allowed = allowed
    row.save()

    value = projects.get().by_id[default.id]
    assert (value.countries_allowed, value.networks_allowed) == (countries, networks)
    assert (value.allows_country("HK"), value.allows_country("DE")) == (True, germany)


@pytest.mark.parametrize(
    ("wait", "valid", "expected"), [(20, 60, 20), (59, 60, 59), (60, 60, 30), (300, 61, 30)]
)
def test_a_stored_wait_that_the_code_does_not_outlive_is_halved(
    wait: int, valid: int, expected: int, default: Project
) -> None:
    """docs/decisions/0081"""
    row = LoginMethods.objects.get(project=default)
    row.fallback_wait_seconds, row.otp_valid_seconds = wait, valid
    row.save()

    assert projects.get().by_id[default.id].fallback_wait_seconds == expected


@pytest.mark.parametrize(
    ("verify_phone_by", "enabled", "channels", "falls_back"),
    [
        ("whatsapp_or_sms", True, ("whatsapp", "sms"), True),
        ("whatsapp_or_sms", False, ("whatsapp", "sms"), False),
        ("whatsapp_only", True, ("whatsapp",), False),
        ("sms_only", True, ("sms",), False),
    ],
)
def test_a_fallback_needs_a_second_channel(
    verify_phone_by: str, enabled: bool, channels: tuple[str, ...], falls_back: bool, default: Project
) -> None:
    row = LoginMethods.objects.get(project=default)
    row.verify_phone_by, row.fallback_enabled = verify_phone_by, enabled
    row.save()

    value = projects.get().by_id[default.id]
    assert (value.channels, value.usual_route.falls_back) == (channels, falls_back)


def test_test_numbers_are_loaded_with_their_code(default: Project) -> None:
    TestNumber.objects.create(
        project=default, phone=factories.PHONE, code="123456", until=timezone.now().date()
    )

    [(phone, value)] = projects.get().by_id[default.id].test_numbers.items()
    assert (phone, value.code, value.until) == (factories.PHONE, "123456", timezone.now().date())


def test_a_project_whose_deletion_began_meanwhile_is_not_restored(shop: Project) -> None:
    archiving.archive(shop)
    Project.objects.filter(pk=shop.pk).update(deletion_began_at=timezone.now())

    with pytest.raises(NotPossible):
        archiving.restore(shop)

    assert Project.objects.get(pk=shop.pk).archived_at is not None
