"""Test numbers: their fixed codes belong to one project, and their starts have limits of their own."""

import uuid

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from structlog.testing import capture_logs

from abuse.errors import RateLimited
from channels.types import Status
from core.config_models import ConfigVersion
from otp.errors import WrongCode
from otp.models import Challenge, Delivery, Purpose
from projects.config import ProjectConfig, projects
from projects.models import TestNumber
from tests import factories
from tests.clock import later
from tests.otp.conftest import Start, prove, verify
from users.models import User


@pytest.fixture
def other(project: ProjectConfig) -> ProjectConfig:
    """A second project that has the same number, and a number of its own, under other codes."""
    found = factories.make_project(slug="beta", name="Beta", is_default=False)
    for owner, number, code in (
        (project, factories.PHONE, "424242"),
        (found, factories.PHONE, "111111"),
        (found, factories.OTHER_PHONE, "222222"),
    ):
        TestNumber.objects.create(project_id=owner.id, phone=number, code=code, until="2999-01-01")
    return projects.get().by_id[found.id]


def answer(challenge_id: uuid.UUID, code: str, *, purpose: Purpose) -> object:
    return verify(challenge_id, code) if purpose is Purpose.LOGIN else prove(challenge_id, code)


@pytest.mark.parametrize("purpose", [Purpose.LOGIN, Purpose.ASSERTION])
def test_a_projects_fixed_code_opens_its_own_number_only(
    start: Start, project: ProjectConfig, other: ProjectConfig, purpose: Purpose
) -> None:
    """O7: not the same number in another project, neither way round."""
    ours = start(project=projects.get().by_id[project.id], purpose=purpose)
    theirs = start(project=other, purpose=purpose)

    for challenge_id, code in ((ours, "111111"), (ours, "222222"), (theirs, "424242"), (theirs, "222222")):
        with pytest.raises(WrongCode):
            answer(challenge_id, code, purpose=purpose)
    assert not User.objects.exists()

    answer(ours, "424242", purpose=purpose)
    answer(theirs, "111111", purpose=purpose)


def test_a_second_number_of_the_project_has_its_own_code(start: Start, other: ProjectConfig) -> None:
    """O7: within a project a code belongs to its number, too."""
    challenge_id = start(factories.OTHER_PHONE, project=other)

    with pytest.raises(WrongCode):
        answer(challenge_id, "111111", purpose=Purpose.LOGIN)
    answer(challenge_id, "222222", purpose=Purpose.LOGIN)


def test_two_numbers_with_one_code_both_open(start: Start, project: ProjectConfig) -> None:
    """O7: comparing pairs loses neither of them."""
    for number in (factories.PHONE, factories.OTHER_PHONE):
        TestNumber.objects.create(project_id=project.id, phone=number, code="424242", until="2999-01-01")
    known = projects.get().by_id[project.id]

    for number in (factories.PHONE, factories.OTHER_PHONE):
        challenge_id = start(number, project=known)
        with later(1):
            answer(challenge_id, "424242", purpose=Purpose.LOGIN)

    assert User.objects.count() == 2


@pytest.mark.parametrize(
    ("limit", "address"), [("test.address:3/10m", factories.ADDRESS), ("test.project:3/1h", "")]
)
def test_starts_of_a_test_number_are_limited(
    start: Start, other: ProjectConfig, settings: LazySettings, limit: str, address: str
) -> None:
    """O6: they cost no message, but each writes a row."""
    name, _, text = limit.partition(":")
    settings.AUTHSVC_LIMITS = {name: text}
    for nth in range(3):
        start(project=other, form_token=f"form {nth}", address=address and factories.ADDRESS)

    with pytest.raises(RateLimited):
        start(project=other, form_token="one more", address=address)

    assert Challenge.objects.count() == 3
    if address:  # others go on
        start(project=other, form_token="from elsewhere", address="198.51.100.1")


def test_a_test_number_keeps_its_room_beside_real_ones(
    start: Start, other: ProjectConfig, settings: LazySettings
) -> None:
    """O6: neither do its starts use up a number's sends, nor wait between each other: a CI runs them in a row."""
    settings.AUTHSVC_LIMITS = {"send.address": "1/10m", "send.number.hour": "1/1h"}

    assert len({start(project=other, form_token=f"form {nth}") for nth in range(20)}) == 20


def test_a_code_whose_key_is_gone_stops_nobody_and_is_never_right(
    start: Start, project: ProjectConfig, settings: LazySettings
) -> None:
    """After a restore without the old key: the number stays free of charge, the others keep their codes."""
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    settings.AUTHSVC_ENCRYPTION_KEYS = keys[:1]
    lost = TestNumber.objects.create(
        project_id=project.id, phone=factories.PHONE, code="424242", until="2999-01-01"
    )
    settings.AUTHSVC_ENCRYPTION_KEYS = keys[1:]
    TestNumber.objects.create(
        project_id=project.id, phone=factories.OTHER_PHONE, code="222222", until="2999-01-01"
    )

    ConfigVersion.bump()
    with capture_logs() as lines:
        known = projects.get().by_id[project.id]
    unreadable = start(project=known)
    readable = start(factories.OTHER_PHONE, project=known)

    assert [line["test_number_id"] for line in lines if line["event"] == "test_number.unreadable"] == [
        lost.pk
    ]
    challenge = Challenge.objects.get(id=unreadable)
    assert (challenge.is_test, challenge.code_length) == (True, known.otp_length)
    assert set(Delivery.objects.values_list("status", flat=True)) == {Status.DELIVERED}  # nothing is sent
    with pytest.raises(WrongCode):
        answer(unreadable, "424242", purpose=Purpose.LOGIN)
    answer(readable, "222222", purpose=Purpose.LOGIN)
