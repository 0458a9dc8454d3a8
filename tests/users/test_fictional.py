"""Numbers that nobody can have: recognized, chosen, and told apart in the database."""

import pytest

from projects.config import ProjectConfig
from tests import factories
from users import fictional, phones
from users.models import User


@pytest.mark.parametrize("number", ["+12025550100", "+12025550133", "+12025550199"])
def test_fictional_numbers_are_recognized(number: str) -> None:
    assert fictional.is_fictional(number)


@pytest.mark.parametrize(
    "number",
    [
        "", "+1202555010", "+120255501000", "+12025550200", "+12025550099", "+12125550100", "+15005550199",
        factories.PHONE, factories.OTHER_PHONE, "12025550100", "+12025550100\n", "+1202555010٣", " +12025550100",
    ],
)  # fmt: skip
def test_no_other_number_is(number: str) -> None:
    assert not fictional.is_fictional(number)


def test_people_can_type_all_of_them() -> None:
    """Each is read as a mobile number, whose E.164 form is the same."""
    assert len(fictional.NUMBERS) == 100
    for number in fictional.NUMBERS:
        assert fictional.is_fictional(number)
        assert phones.read(phones.formatted(number)).e164 == number


def test_a_free_number_is_chosen() -> None:
    taken = set(fictional.NUMBERS[:-1])

    assert fictional.choose(taken=taken) == fictional.NUMBERS[-1]
    assert fictional.choose(taken=fictional.NUMBERS) == ""
    assert len({fictional.choose(taken=()) for _ in range(50)}) > 5


@pytest.mark.django_db
def test_accounts_of_fictional_numbers_are_found() -> None:
    project: ProjectConfig = factories.make_project(senders=False)
    for number in (factories.PHONE, "+12125550100", *fictional.NUMBERS[:2]):
        User.objects.create(project_id=project.id, phone=number)
    User.objects.create_user("staff", "x")

    found = set(User.objects.filter(fictional.rows()).values_list("phone", flat=True))
    assert found == set(fictional.NUMBERS[:2])
    assert User.objects.exclude(fictional.rows()).count() == 3
