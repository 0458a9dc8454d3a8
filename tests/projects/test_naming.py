"""Slugs made from names: free, short enough for their column, valid in an address."""

from datetime import UTC, datetime

import pytest
from django.core.validators import validate_slug
from hypothesis import given, settings
from hypothesis import strategies as st

from projects import archiving
from projects.models import Project
from projects.naming import free_slug

pytestmark = pytest.mark.django_db


def take(*slugs: str) -> None:
    for slug in slugs:
        Project.objects.create(slug=slug, name=slug)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme", "acme"),
        ("  Café  de l'Été ", "cafe-de-lete"),
        ("A & B", "a-b"),
        ("__Acme--", "acme"),
        ("商店", "project"),
        ("", "project"),
        ("!?", "project"),
        ("2026", "2026"),
    ],
)
def test_a_name_becomes_a_slug(name: str, slug: str) -> None:
    assert free_slug(name) == slug


def test_the_first_number_that_is_free_is_taken() -> None:
    take("acme", "acme-2", "acme-4")
    assert free_slug("Acme") == "acme-3"

    take("acme-3")
    assert free_slug("Acme") == "acme-5"


@pytest.mark.parametrize("taken", ["acme-2", "acme-shop", "my-acme", "acm"])
def test_another_s_slug_that_is_only_similar_takes_nothing(taken: str) -> None:
    take(taken)
    assert free_slug("Acme") == "acme"


def test_nameless_projects_are_numbered_too() -> None:
    take("project")
    assert free_slug("商店") == "project-2"


def test_a_wildcard_of_the_database_is_a_letter() -> None:
    """The underscore stands for any character in LIKE."""
    take("a-b")
    assert free_slug("a_b") == "a_b"


def test_an_archived_project_keeps_its_slug() -> None:
    take("acme")
    archiving.archive(Project.objects.get())
    Project.objects.filter(slug="acme").update(deletion_began_at=datetime(2026, 11, 26, tzinfo=UTC))

    assert free_slug("Acme") == "acme-2"


def test_the_longest_names_share_their_beginning_and_stay_within_the_column() -> None:
    name = "x" * 60
    slugs = []
    for _ in range(11):
        slugs.append(free_slug(name))
        take(slugs[-1])

    assert slugs[0] == "x" * 50
    assert slugs[1] == "x" * 48 + "-2"
    assert slugs[-1] == "x" * 47 + "-11"


def test_no_dash_is_left_where_a_name_is_cut() -> None:
    assert free_slug("x" * 49 + " shop") == "x" * 49


@settings(max_examples=40)
@given(st.text(max_size=80))
def test_every_name_has_a_valid_slug(name: str) -> None:
    slug = free_slug(name)

    validate_slug(slug)
    assert 1 <= len(slug) <= 50
    assert slug == slug.strip("-_")
