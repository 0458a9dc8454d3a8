"""Whether a code lives as long as the template in a person's hand says it does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import code_life
from channels.code_life import TEMPLATE_MINUTES, contradicting, differing
from channels.models import Sender
from projects.config import ProjectConfig
from projects.models import LoginMethods, Project
from tests import factories

minutes_by_language = st.dictionaries(
    st.sampled_from(["en", "es", "de", "pt_BR", "fr"]), st.none() | st.integers(1, 90)
)

# Values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "minutes", "expected"),
    [
        (600, {}, {}),
        (600, {"en": 10}, {}),
        (600, {"en": None}, {}),
        (300, {"en": 5}, {}),
        (300, {"en": None}, {10: ["en"]}),
        (300, {"en": None, "es": 10}, {10: ["en", "es"]}),
        (300, {"en": 5, "es": 10, "de": 15}, {10: ["es"], 15: ["de"]}),
        (599, {"en": 10}, {10: ["en"]}),
        (601, {"en": 10}, {10: ["en"]}),
        (90, {"en": 1}, {1: ["en"]}),
        (60, {"en": 1}, {}),
        (5400, {"en": 90}, {}),
    ],
)
def test_which_languages_say_something_else(
    seconds: int, minutes: dict[str, int | None], expected: dict[int, list[str]]
) -> None:
    assert differing(seconds, minutes) == expected


@given(st.integers(1, 5400), minutes_by_language)
def test_each_language_is_right_or_named_once(seconds: int, minutes: dict[str, int | None]) -> None:
    named = [language for languages in differing(seconds, minutes).values() for language in languages]
    right = [item for item, known in minutes.items() if seconds == (known or TEMPLATE_MINUTES) * 60]

    assert sorted(named + right) == sorted(minutes)


# Rows -------------------------------------------------------------------------------------------------


def make(slug: str, **fields: object) -> ProjectConfig:
    known = {"slug": slug, "name": slug.title(), "is_default": slug == "acme", "senders": False}
    return factories.make_project(**(known | {"otp_valid_seconds": 300} | fields))  # type: ignore[arg-type]


def sender(project: ProjectConfig | None = None, provider: str = "meta", **fields: object) -> Sender:
    row = Project.objects.get(id=project.id) if project else None
    return factories.make_sender("whatsapp", row, provider=provider, **fields)


def warned() -> list[str]:
    rows = LoginMethods.objects.select_related("project").order_by("project__slug")
    return [row.project.slug for row in contradicting(rows)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("seconds", "mode", "is_warned"),
    [
        (300, "whatsapp_or_sms", True),
        (599, "whatsapp_only", True),
        (600, "whatsapp_or_sms", False),
        (300, "sms_only", False),
    ],
)
def test_a_project_is_warned_when_whatsapp_tells_another_life(
    seconds: int, mode: str, is_warned: bool
) -> None:
    make("acme", otp_valid_seconds=seconds, verify_phone_by=mode)
    sender()

    assert warned() == (["acme"] if is_warned else [])


@pytest.mark.django_db
@pytest.mark.parametrize("provider", ["console", "memory"])
def test_a_provider_without_templates_tells_nothing(provider: str) -> None:
    make("acme")
    sender(provider=provider)

    assert warned() == []


@pytest.mark.django_db
def test_without_any_sender_nobody_reads_a_template() -> None:
    make("acme")

    assert warned() == []


@pytest.mark.django_db
def test_a_sender_that_is_switched_off_tells_nothing() -> None:
    make("acme")
    sender(is_active=False)

    assert warned() == []


@pytest.mark.django_db
def test_of_several_projects_those_are_warned_whose_sender_has_templates() -> None:
    """Own sender with templates; own sender without; none of its own, so the shared one; the usual life."""
    own, other = make("acme"), make("beta")
    make("gamma")
    make("usual", otp_valid_seconds=600)
    sender()
    sender(own)
    sender(other, provider="memory")

    assert warned() == ["acme", "gamma"]


@pytest.mark.django_db
def test_an_own_sender_with_templates_is_warned_although_the_shared_one_has_none() -> None:
    own = make("acme")
    make("beta")
    sender(provider="memory")
    sender(own)

    assert warned() == ["acme"]


@pytest.mark.django_db
def test_an_own_sender_that_is_switched_off_leaves_the_project_to_the_shared_one() -> None:
    own = make("acme")
    sender()
    sender(own, provider="memory", is_active=False)

    assert warned() == ["acme"]


@pytest.mark.django_db
def test_only_the_rows_that_are_asked_about_are_named() -> None:
    make("acme")
    make("beta")
    sender()

    assert contradicting([]) == []
    asked = LoginMethods.objects.filter(project__slug="beta")
    assert [row.project.slug for row in contradicting(asked)] == ["beta"]


def test_templates_say_ten_minutes_unless_they_are_made_otherwise() -> None:
    assert code_life.TEMPLATE_MINUTES == 10
