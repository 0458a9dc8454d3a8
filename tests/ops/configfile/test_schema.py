"""The form of the configuration file: types are never converted, nothing unknown passes, all problems come at once."""

from typing import Any

import pytest
import yaml

from tests.ops.configfile.projects import CLIENT, PROJECT, of_project, problems, project, written


def test_a_short_project_has_every_default() -> None:
    spec = project()

    assert (spec.default, spec.archived, spec.domains, spec.test_numbers, spec.clients, spec.senders) == (
        False, None, [], [], [], [],
    )  # fmt: skip
    assert spec.methods == {
        "identifier": "mobile", "authentication": "passwordless", "verify_phone_by": "whatsapp_or_sms", "otp_length": 6,
        "otp_valid_seconds": 600, "resend_after_seconds": 30, "max_attempts": 5, "fallback_enabled": True, "fallback_wait_seconds": 20,
        "countries_allowed": ["HK"], "countries_pinned": [], "routing": [],
    }  # fmt: skip


# Types ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("NO", "quote it: YAML reads NO and OFF as false"), ("off", "quote it: YAML reads NO and OFF as false"),
        ("yes", "quote it: YAML reads YES and ON as true"), ("On", "quote it: YAML reads YES and ON as true"),
        ("12", "quote it: YAML reads digits as a number"), ("012", "quote it: YAML reads digits as a number"),
        ("0x1F", "quote it: YAML reads digits as a number"), ("1_000", "quote it: YAML reads digits as a number"),
        ("1.5", "quote it: YAML reads digits as a number"), (".inf", "quote it: YAML reads digits as a number"),
        ("190:20", "quote it: YAML reads digits as a number"), ("+85251234567", "quote it: YAML reads digits as a number"),
        ("2027-01-31", "quote it: YAML reads it as a date"), ("2027-01-31 10:00:00", "quote it: YAML reads it as a date"),
        ("[Acme]", "not a list or a mapping"), ("{a: b}", "not a list or a mapping"),
    ],
)  # fmt: skip
def test_a_text_that_yaml_reads_otherwise_is_refused_with_a_hint(value: str, hint: str) -> None:
    assert written("name", value) == [f"name: must be text, {hint}"]


@pytest.mark.parametrize("value", ["'NO'", '"12"', "Acme", "ＮＯ", "a: b" and "'a: b'"])
def test_a_quoted_text_is_text(value: str) -> None:
    assert written("name", value) == []


@pytest.mark.parametrize("value", ["1", "0", "'true'", "[]", "sometimes", "1.0"])
@pytest.mark.parametrize("key", ["default", "archived"])
def test_only_true_and_false_are_booleans(key: str, value: str) -> None:
    assert written(key, value) == [f"{key}: must be true or false"]


@pytest.mark.parametrize("value", ["'6'", "6.0", "true", "[6]", "5", "11", "-6", "6e0", "'six'"])
def test_only_whole_numbers_within_the_bounds_are_numbers(value: str) -> None:
    assert written("otp", f"{{length: {value}}}") == ["otp.length: must be from 6 to 10"]


@pytest.mark.parametrize(
    ("key", "low", "high"), [("length", 6, 10), ("valid_seconds", 60, 600), ("max_attempts", 1, 10)]
)
def test_both_bounds_are_allowed(key: str, low: int, high: int) -> None:
    for value in (low, high):
        assert of_project(otp={key: value, "resend_after_seconds": 10}, fallback={"wait_seconds": 5}) == []
    for value in (low - 1, high + 1):
        assert of_project(otp={key: value}) == [f"otp.{key}: must be from {low} to {high}"]


@pytest.mark.parametrize("value", ["'2027-01-31'", "2027-01-31 00:00:00", "20270131", "soon", "true"])
def test_only_a_date_is_a_date(value: str) -> None:
    lines = written("test_numbers", f"[{{phone: '+15005550199', until: {value}}}]")

    assert lines == ["test_numbers[0].until: must be a date such as 2027-01-31"]


@pytest.mark.parametrize("key", ["domains", "test_numbers", "clients"])
@pytest.mark.parametrize("value", ["a", 7, {"a": "b"}, True, ""])
def test_a_list_is_a_list(key: str, value: object) -> None:
    assert of_project(**{key: value}) == [f"{key}: must be a list"]


@pytest.mark.parametrize("key", ["login_methods", "otp", "fallback", "countries", "whatsapp", "sms"])
@pytest.mark.parametrize("value", ["a", 7, ["a"], True, ""])
def test_a_section_is_a_mapping(key: str, value: object) -> None:
    place = (
        f"{key}[0]" if key in ("whatsapp", "sms") and isinstance(value, list) else key
    )  # a list of senders
    assert of_project(**{key: value}) == [f"{place}: must be a mapping of keys"]


@pytest.mark.parametrize("name", ["x" * 61, "nul\x00"])
def test_a_text_has_a_longest_length_and_no_nul(name: str) -> None:
    assert of_project(name=name) == ["name: must have at most 60 characters"]


# Keys -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", ["login_methods", "otp", "fallback", "countries"])
def test_an_unknown_key_is_refused_in_every_section(section: str) -> None:
    content = {"allowed": ["HK"]} if section == "countries" else {}

    assert of_project(**{section: content | {"colour": 1}}) == [f"{section}.colour: unknown key"]


@pytest.mark.parametrize("key", ["Slug", "methods", "is_default", "1", "", "slug "])
def test_an_unknown_key_of_a_project_is_refused(key: str) -> None:
    assert of_project(**{key: "x"}) == [f"{key}: unknown key"]


@pytest.mark.parametrize("key", [1, 1.5, None])
def test_a_key_that_is_no_text_is_unknown(key: object) -> None:
    project: dict[Any, Any] = dict(PROJECT)
    project[key] = "x"
    lines = problems(yaml.safe_dump({"projects": [project]}))

    assert lines == [f"projects[0].{key}: unknown key"]


def test_names_of_the_model_are_no_keys_of_the_file() -> None:
    lines = of_project(sms={"provider": "memory", "from_number": "+15005550006"}, otp={"otp_length": 6})

    assert sorted(lines) == ["otp.otp_length: unknown key", "sms.from_number: unknown key"]


@pytest.mark.parametrize("key", ["slug", "name"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_required_text_without_a_value_is_missing(key: str, value: object) -> None:
    assert of_project(**{key: value}) == [f"{key}: is required"]


@pytest.mark.parametrize(
    "key",
    ["domains", "test_numbers", "clients", "otp", "fallback", "login_methods", "whatsapp", "sms", "archived"],
)
def test_an_optional_key_without_a_value_is_absent(key: str) -> None:
    assert project(**{key: None}) == project()


@pytest.mark.parametrize(
    ("section", "key", "line"),
    [
        ("fallback", "enabled", "must be true or false"),
        ("otp", "length", "must be from 6 to 10"),
        ("login_methods", "verify_phone_by", "is required: one of whatsapp_or_sms, whatsapp_only, sms_only"),
    ],
)
def test_a_key_with_another_default_is_not_silently_the_default(section: str, key: str, line: str) -> None:
    """`enabled:` with nothing behind it is a mistake, not the wish for the default."""
    assert of_project(**{section: {key: None}}) == [f"{section}.{key}: {line}"]


def test_countries_are_always_required() -> None:
    empty: list[dict[str, Any] | None] = [None, {}, {"allowed": None}, {"pinned": []}]
    for countries in empty:
        assert of_project(countries=countries) == ["countries.allowed: is required"]


# Everything at once ---------------------------------------------------------------------------------


def test_problems_of_every_kind_and_place_come_together() -> None:
    text = """
    shared: {sms: {provider: pigeon}, mail: {}}
    projects:
      - {slug: a, name: NO, default: true, domains: [a.example, x y], countries: {allowed: [NO]}}
      - {slug: a, name: B, default: true, domains: [a.example], otp: {length: 1}, countries: {allowed: [HK]}, clients: [7]}
    extra: ${UNSET_FOR_SURE}
    """

    assert problems(text) == [
        "extra: the environment variable UNSET_FOR_SURE is not set",
        "shared.sms.provider: must be one of twilio, vonage, http, console, memory",
        "shared.mail: unknown key",
        "projects[0].name: must be text, quote it: YAML reads NO and OFF as false",
        "projects[0].domains[1]: must be a host name, with its port where that is not the usual one",
        "projects[0].countries.allowed[0]: must be text, quote it: YAML reads NO and OFF as false",
        "projects[1].otp.length: must be from 6 to 10",
        "projects[1].clients[0]: must be a mapping of keys",
        "extra: unknown key",
        "projects[1].slug: another project has this slug",
        "projects[1].default: another project is the default already",
        "projects[1].domains[0]: another project has this host",
    ]


def test_rules_across_sections_are_checked_beside_other_problems() -> None:
    lines = of_project(
        name="", otp={"valid_seconds": 60, "resend_after_seconds": 60}, fallback={"wait_seconds": 60}
    )

    assert lines == [
        "name: is required",
        "fallback.wait_seconds: must be below the 60 seconds that a code is valid",
        "otp.resend_after_seconds: must be below the 60 seconds that a code is valid",
    ]


def test_a_rule_says_nothing_of_a_value_that_is_wrong_by_itself() -> None:
    assert of_project(otp={"valid_seconds": 5}, fallback={"wait_seconds": 300}) == [
        "otp.valid_seconds: must be from 60 to 600"
    ]


def test_conflicts_between_projects_and_clients_are_found_in_broken_projects_too() -> None:
    twins = [{"slug": "a", "clients": [CLIENT, 7]}, {"slug": "a", "clients": [CLIENT]}, "no mapping"]
    lines = problems(yaml.safe_dump({"projects": twins}))

    assert "projects[1].slug: another project has this slug" in lines
    assert "projects[1].clients[0].client_id: another client has this client_id" in lines


@pytest.mark.parametrize(
    "projects", [None, 7, "x", [7], [None], [[]], [{"domains": 7, "clients": 7, "slug": []}]]
)
def test_conflicts_are_looked_for_in_anything(projects: object) -> None:
    assert not [line for line in problems(yaml.safe_dump({"projects": projects})) if "another" in line]


def test_two_domains_of_one_project_may_share_a_host() -> None:
    assert of_project(domains=["a.example", "a.example:8443"]) == []


# Single fields --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowed", "stored"),
    [("all", ["all"]), (["all"], ["all"]), (["all", "+881"], ["all", "+881"]), (["HK", "GB"], ["HK", "GB"])],
)
def test_countries_are_a_list_or_the_word_all(allowed: object, stored: list[str]) -> None:
    assert project(countries={"allowed": allowed}).countries.allowed == stored


@pytest.mark.parametrize("slug", ["a b", "a.b", "ä", "a/b", "a\n"])
def test_a_slug_is_letters_digits_hyphens_and_underscores(slug: str) -> None:
    assert of_project(slug=slug) == ["slug: must be letters, digits, hyphens and underscores"]


def test_a_test_number_is_stored_in_its_one_spelling_and_listed_once() -> None:
    number = {"phone": "+1 500 555 0199", "code": "424242"}
    text = yaml.safe_dump({"projects": [PROJECT | {"test_numbers": [number, number]}]})
    lines = problems(text.replace("code: '424242'", "code: '424242'\n    until: 2027-01-31"))

    assert lines == ["projects[0].test_numbers[1].phone: duplicate value"]


def test_secrets_are_in_no_representation() -> None:
    spec = project(
        clients=[{**CLIENT, "client_type": "confidential", "client_secret": "s3cret-1"}],
        whatsapp={"provider": "memory", "access_token": "s3cret-2", "verify_token": "s3cret-3"},
    )

    assert "s3cret" not in repr(spec)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"client_secret": "x"}, "client_secret: a public client has none"),
        ({"pkce_required": False}, "pkce_required: a public client needs PKCE"),
        (
            {"may_introspect": True},
            "may_introspect: a public client cannot authenticate, so it cannot introspect",
        ),
    ],
)
def test_a_public_client_is_refused_what_needs_a_secret_beside_other_problems(
    changes: dict[str, Any], line: str
) -> None:
    lines = of_project(clients=[{**CLIENT, **changes, "algorithm": "none"}])

    assert lines == [f"clients[0].{line}", "clients[0].algorithm: must be one of RS256, ES256"]
