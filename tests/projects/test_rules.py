"""Rules about login methods and domains: in the model, in the database, and in the words of staff."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Field

from projects import rules
from projects.models import (
    FALLBACK_WAIT_SECONDS,
    MAX_ATTEMPTS,
    OTP_LENGTH,
    OTP_VALID_SECONDS,
    RESEND_AFTER_SECONDS,
    Domain,
    LoginMethods,
    Project,
    TestNumber,
    validate_countries,
    validate_domain,
)

VALID: dict[str, Any] = {
    "countries_allowed": ["HK", "GB"],
    "countries_pinned": ["HK"],
    "otp_valid_seconds": 60,
    "fallback_wait_seconds": 20,
    "resend_after_seconds": 30,
}


@pytest.fixture
def project() -> Project:
    return Project.objects.create(slug="acme", name="Acme", is_default=True)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"countries_pinned": []},
        {"countries_allowed": ["all"], "countries_pinned": ["DE"]},
        {"countries_allowed": ["all", "+881"]},
        {"fallback_wait_seconds": 59, "resend_after_seconds": 59},
    ],
)
def test_valid_login_methods_have_no_problems(changes: dict[str, Any]) -> None:
    assert list(rules.login_methods_problems(VALID | changes)) == []


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"countries_allowed": [], "countries_pinned": []}, "countries_allowed", "at least one country"),
        ({"countries_allowed": ["HK", "GB", "HK"]}, "countries_allowed", "a country twice: HK"),
        ({"countries_pinned": ["HK", "HK"]}, "countries_pinned", "a country twice: HK"),
        ({"countries_pinned": ["all"]}, "countries_pinned", "cannot be shown first"),
        ({"countries_pinned": ["HK", "DE", "FR"]}, "countries_pinned", "among the countries allowed: DE, FR"),
        ({"fallback_wait_seconds": 60}, "fallback_wait_seconds", "below the 60 seconds"),
        ({"resend_after_seconds": 61}, "resend_after_seconds", "below the 60 seconds"),
    ],
)
def test_each_problem_names_its_field(changes: dict[str, Any], field: str, text: str) -> None:
    [(name, problem)] = rules.login_methods_problems(VALID | changes)

    assert name == field
    assert text in problem


def test_all_problems_are_found_at_once() -> None:
    wrong = {"countries_allowed": [], "countries_pinned": ["HK"], "fallback_wait_seconds": 90}

    assert [name for name, _text in rules.login_methods_problems(VALID | wrong)] == [
        "countries_allowed",
        "countries_pinned",
        "fallback_wait_seconds",
    ]


def test_every_field_with_a_rule_names_what_the_rule_depends_on() -> None:
    assert set(rules.MEASURED_BY.values()) == {"countries_allowed", "otp_valid_seconds"}
    assert set(rules.MEASURED_BY) == set(VALID) - {"otp_valid_seconds"}


@pytest.mark.parametrize("text", [rules.default_is_needed(), rules.being_deleted(), rules.archived_default()])
def test_the_words_for_staff_are_clauses_that_others_put_into_sentences(text: str) -> None:
    assert text[0].islower()
    assert not text.endswith(".")


@pytest.mark.parametrize("value", [[], ["HK", "GB"], ["all"], ["all", "+881"], ["HK", "+870", "+883"]])
def test_country_lists_that_are_valid(value: list[str]) -> None:
    validate_countries(value)


@pytest.mark.parametrize(
    "value", ["HK", None, {"HK": 1}, ["hk"], ["HKG"], [1], ["+852"], ["ÄÖ"], ["H"], ["all", "HK"], ["12"]]
)
def test_country_lists_that_are_not(value: object) -> None:
    with pytest.raises(ValidationError):
        validate_countries(value)


@pytest.mark.parametrize("host", ["login.example.com", "localhost:8000", "LOGIN.example.com.", "[::1]"])
def test_domains_that_are_valid(host: str) -> None:
    validate_domain(host)


@pytest.mark.parametrize("host", ["", "https://example.com", "a b", "example.com/path", "example.com:0"])
def test_domains_that_are_not(host: str) -> None:
    with pytest.raises(ValidationError):
        validate_domain(host)


@pytest.mark.django_db
def test_a_new_project_has_login_methods_that_allow_no_country(project: Project) -> None:
    methods = LoginMethods.objects.get(project=project)

    assert methods.countries_allowed == []
    assert methods.verify_phone_by == "whatsapp_or_sms"
    with pytest.raises(ValidationError) as refused:
        methods.clean()
    assert refused.value.messages == ["Must name at least one country, or all: nobody else gets a code."]


@pytest.mark.django_db
def test_saving_a_project_again_keeps_its_login_methods(project: Project) -> None:
    LoginMethods.objects.filter(project=project).update(otp_length=8)
    project.name = "New"
    project.save()

    assert LoginMethods.objects.get(project=project).otp_length == 8
    assert (str(project), str(LoginMethods.objects.get())) == ("New", "New")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "bounds"),
    [
        ("otp_length", OTP_LENGTH),
        ("otp_valid_seconds", OTP_VALID_SECONDS),
        ("resend_after_seconds", RESEND_AFTER_SECONDS),
        ("max_attempts", MAX_ATTEMPTS),
        ("fallback_wait_seconds", FALLBACK_WAIT_SECONDS),
    ],
)
def test_bounds_hold_in_the_database_and_in_forms(
    field: str, bounds: tuple[int, int], project: Project
) -> None:
    rows, form_field = LoginMethods.objects.filter(project=project), LoginMethods._meta.get_field(field)
    assert isinstance(form_field, Field)
    for value in bounds:
        rows.update(**{field: value})
        form_field.run_validators(value)
    for value in (bounds[0] - 1, bounds[1] + 1):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**{field: value})
        with pytest.raises(ValidationError):
            form_field.run_validators(value)


@pytest.mark.django_db
def test_an_unknown_way_to_verify_is_refused_by_the_database(project: Project) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        LoginMethods.objects.filter(project=project).update(verify_phone_by="carrier_pigeon")


@pytest.mark.django_db
def test_there_is_one_default_project(project: Project) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Project.objects.create(slug="other", name="Other", is_default=True)

    Project.objects.create(slug="other", name="Other")
    Project.objects.create(slug="third", name="Third")


@pytest.mark.django_db
def test_a_domain_is_saved_in_its_canonical_form(project: Project) -> None:
    domain = Domain.objects.create(project=project, host=" Login.Example.COM.:443 ")

    assert domain.host == str(domain) == "login.example.com"


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["login.example.com", "login.example.com:8443", "LOGIN.example.com"])
def test_a_host_name_belongs_to_one_project_on_all_ports(host: str, project: Project) -> None:
    Domain.objects.create(project=project, host="login.example.com:9000")
    other = Project.objects.create(slug="other", name="Other")

    with pytest.raises(ValidationError, match="belongs to the project Acme"):
        Domain(project=other, host=host).clean()
    Domain(project=project, host=host).clean()
    Domain(project=other, host="login.example.com.evil.example").clean()
    assert Domain.owner_elsewhere("no host", except_id=other.pk) is None


@pytest.mark.django_db
def test_a_test_number_has_one_code_in_each_project(project: Project) -> None:
    number = {"phone": "+15005550199", "code": "123456", "until": "2030-01-01"}
    row = TestNumber.objects.create(project=project, **number)

    assert str(row) == "+15005550199"
    assert TestNumber.objects.get().code == "123456"
    with pytest.raises(IntegrityError), transaction.atomic():
        TestNumber.objects.create(project=project, **number)
