"""When a save becomes the configuration of other threads and processes: with its commit, not a moment before."""

import threading

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from core import config_version
from projects.config import projects
from projects.models import Project
from tests import factories


def name() -> str:
    (project,) = projects.get().by_id.values()
    return project.name


@pytest.mark.django_db(transaction=True)
def test_a_read_between_save_and_commit_keeps_nothing_old() -> None:
    """T: two real transactions. Published early, the old rows would be kept under the new version for good."""
    factories.make_project(name="Old")
    assert name() == "Old"
    saved, read_meanwhile = threading.Event(), threading.Event()

    def rename() -> None:
        try:
            with transaction.atomic():
                project = Project.objects.get()
                project.name = "New"
                project.save()
                saved.set()
                assert read_meanwhile.wait(20)
        finally:
            connection.close()

    writer = threading.Thread(target=rename)
    writer.start()
    assert saved.wait(20)
    try:
        assert name() == "Old"
    finally:
        read_meanwhile.set()
        writer.join(20)

    assert name() == "New"


@pytest.mark.django_db(transaction=True)
def test_a_save_that_is_rolled_back_is_never_published() -> None:
    """T."""
    factories.make_project(name="Old")
    before = config_version.current()

    def save_both() -> None:
        with transaction.atomic():
            Project.objects.get(name="Old").save()
            Project.objects.create(slug="acme", name="The same slug")

    with pytest.raises(IntegrityError):
        save_both()

    assert config_version.current() == before
    assert name() == "Old"


@pytest.mark.django_db
def test_inside_a_tests_own_transaction_a_save_is_seen_once_its_block_ends() -> None:
    """T: what tests/conftest.py stands in for is the commit, nothing else."""
    factories.make_project(name="Old")
    before = config_version.current()

    with transaction.atomic():
        project = Project.objects.get()
        project.name = "New"
        project.save()
        waiting = [item for item in connection.run_on_commit if item[1].__module__ == "core.config_models"]
        assert len(waiting) == 1
    assert config_version.current() > before
    assert name() == "New"


@pytest.mark.django_db
def test_nor_is_what_a_block_rolls_back() -> None:
    """T."""
    factories.make_project(name="Old")
    before = config_version.current()

    with transaction.atomic():
        Project.objects.get().save()
        transaction.set_rollback(True)

    assert config_version.current() == before
