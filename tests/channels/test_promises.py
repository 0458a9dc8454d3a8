"""A mode may be stored before its senders only while nobody relies on it."""

import uuid

import pytest
from django.utils import timezone

from channels import validation
from projects.config import ProjectConfig
from projects.models import LoginMethods
from tests import factories
from users import fictional
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> ProjectConfig:
    return factories.make_project(senders=False)


def test_a_new_project_may_wait_for_its_senders(project: ProjectConfig) -> None:
    assert validation.may_wait(project.id)


def test_one_that_works_in_part_may_not(project: ProjectConfig) -> None:
    """D13: what works must go on working."""
    factories.make_sender("whatsapp")

    assert not validation.may_wait(project.id)


def test_a_sender_of_another_channel_changes_nothing(project: ProjectConfig) -> None:
    LoginMethods.objects.update(verify_phone_by="sms_only")
    factories.make_sender("whatsapp")

    assert validation.may_wait(project.id)


def test_one_with_people_may_not(project: ProjectConfig) -> None:
    User.objects.create(project_id=project.id, phone=factories.PHONE, last_login=timezone.now())

    assert not validation.may_wait(project.id)


def test_rehearsals_are_not_people(project: ProjectConfig) -> None:
    User.objects.create(project_id=project.id, phone=fictional.NUMBERS[0], last_login=timezone.now())

    assert validation.may_wait(project.id)


def test_an_unknown_project_has_nothing_to_wait_for() -> None:
    assert not validation.may_wait(uuid.uuid4())
