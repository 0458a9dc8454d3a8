"""Each rule of a sender's settings, both ways, for each provider; and what is said of it."""

import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.provider import Provider
from channels.providers import PROVIDERS

SID, SERVICE = "AC" + "0" * 32, "MG" + "0" * 32
RIGHT: dict[str, dict[str, Any]] = {
    "meta": {
        "phone_number_id": "330022114455667",
        "business_account_id": "220011223344556",
        "access_token": "access-token-of-acme",
        "app_secret": "app-secret",
        "verify_token": "verify-token",
        "template_languages": ["en"],
    },
    "twilio": {"account_sid": SID, "auth_token": "auth-token-of-acme", "from_number": "+15005550006"},
    "vonage": {
        "api_key": "abcd1234",
        "api_secret": "api-secret-of-acme",
        "signature_secret": "signature-secret-of-acme",
        "from_number": "+15005550006",
    },
    "http": {"url": "https://gateway.example/send", "signing_secret": "signing-secret-of-acme"},
}
OPTIONAL = {
    "meta": {"app_secret_previous": "old", "template_name": "login_code"},
    "twilio": {"auth_token_previous": "old"},
    "vonage": {"signature_secret_previous": "old"},
    "http": {"signing_secret_previous": "old"},
}
REAL = list(RIGHT)
LOCAL = ["console", "memory"]


def problems(name: str, **values: object) -> dict[str, str]:
    return dict(PROVIDERS[name].problems(RIGHT[name] | values))


def is_taken(name: str, field: str, value: object) -> bool:
    named = problems(name, **{field: value})
    assert set(named) <= {field}, named
    return not named


# Whole and partial ------------------------------------------------------------------------------------


def test_every_provider_that_sends_has_its_right_settings_here() -> None:
    assert set(REAL) == {name for name, item in PROVIDERS.items() if not item.is_for_development}


@pytest.mark.parametrize("name", REAL)
def test_the_required_fields_are_enough_and_the_others_may_be_there(name: str) -> None:
    fields = PROVIDERS[name].settings.model_fields

    assert problems(name) == {}
    assert problems(name, **OPTIONAL[name]) == {}
    assert set(RIGHT[name]) >= {field for field, item in fields.items() if item.is_required()}
    assert set(RIGHT[name] | OPTIONAL[name]) | {"messaging_service_sid"} >= set(fields)


@pytest.mark.parametrize("name", REAL)
def test_with_nothing_filled_in_every_required_field_is_named_once(name: str) -> None:
    named = PROVIDERS[name].problems({})

    required = [field for field, item in PROVIDERS[name].settings.model_fields.items() if item.is_required()]
    assert [field for field, _ in named] == required
    assert all(sentence.startswith("is required") for _, sentence in named)


@pytest.mark.parametrize("name", REAL)
def test_a_form_that_leaves_the_stored_secrets_alone_is_whole(name: str) -> None:
    """They are never shown again, so they come back empty."""
    provider = PROVIDERS[name]
    shown = {field: value for field, value in RIGHT[name].items() if field not in provider.secret_names}

    assert provider.problems(shown, secrets_later=True) == []
    assert {field for field, _ in provider.problems(shown)} <= provider.secret_names
    emptied = shown | dict.fromkeys(provider.secret_names, "")
    assert provider.problems(emptied, secrets_later=True) == []


@pytest.mark.parametrize("name", REAL)
def test_a_secret_that_is_typed_is_judged_although_one_may_be_stored(name: str) -> None:
    provider = PROVIDERS[name]
    for secret in provider.secret_names:
        wrong = provider.problems(RIGHT[name] | {secret: "two words"}, secrets_later=True)
        assert [field for field, _ in wrong] == [secret]


@pytest.mark.parametrize("name", REAL + LOCAL)
@pytest.mark.parametrize("field", ["region", "Access_Token", "access token", "model_config", "__class__", ""])
def test_an_unknown_key_is_refused_by_name(name: str, field: str) -> None:
    values = RIGHT.get(name, {}) | {field: "x"}

    assert PROVIDERS[name].problems(values) == [(field, f"is not a key of {name}")]


@pytest.mark.parametrize("name", LOCAL)
def test_what_sends_nothing_asks_for_nothing_and_judges_nothing(name: str) -> None:
    assert PROVIDERS[name].problems({}) == []
    assert PROVIDERS[name].problems({"phone_number_id": "any", "access_token": "two words"}) == []


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name in REAL for field in RIGHT[name] | OPTIONAL[name]]
)
@pytest.mark.parametrize("value", [5, True, 1.5, {"a": 1}, [1], b"\xff"], ids=str)
def test_a_value_of_another_type_is_one_problem_of_its_field(name: str, field: str, value: object) -> None:
    """YAML makes a number of an id without quotes."""
    assert not is_taken(name, field, value)


# Rules of texts ---------------------------------------------------------------------------------------

SECRET_FIELDS = [(name, field) for name in REAL for field in sorted(PROVIDERS[name].secret_names)]
SENDER_IDS = [("twilio", "from_number"), ("vonage", "from_number")]
META_IDS = [("meta", "phone_number_id"), ("meta", "business_account_id")]


@pytest.mark.parametrize(("name", "field"), SECRET_FIELDS)
@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("x", True), ("x" * 500, True), ("!~", True), ("a:b/c=d+e&f?g#h", True), ("x" * 501, False),
        ("two words", False), (" x", False), ("x ", False), ("x\n", False), ("x\r\ny", False), ("x\ty", False),
        ("é", False), ("中", False), ("x\0", False), ("\x7f", False), ("\u200b", False),
    ],
    ids=ascii,
)  # fmt: skip
def test_a_secret_is_what_a_header_can_carry(name: str, field: str, value: str, right: bool) -> None:
    assert is_taken(name, field, value) is right


@pytest.mark.parametrize(("name", "field"), SENDER_IDS)
@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("+15005550006", True), ("+1234567", True), ("+123456789012345", True), ("+1234567890123456", False),
        ("+123456", False), ("+05005550006", False), ("+1 500 555 0006", False), ("15005550006", False),
        ("123", True), ("12345678", True), ("12", False), ("123456789", False),
        ("Acme", True), ("ACME Bank 1", True), ("A", True), ("A&B-C_D+E", True), ("1234567890a", True),
        ("Acme Bank 12", False), ("+", False), ("+-&", False), ("Äcme", False), ("Acme!", False),
        ("Acme\n", False), ("a\nb", False), ("Acme.com", False), ("123\n", False), ("٣٤٥", False),
    ],
    ids=ascii,
)  # fmt: skip
def test_a_sender_is_a_number_a_short_code_or_a_name(name: str, field: str, value: str, right: bool) -> None:
    assert is_taken(name, field, value) is right


@pytest.mark.parametrize(("name", "field"), META_IDS)
@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("1", True), ("0" * 64, True), ("1" * 65, False), ("-1", False), ("+1", False), ("1.0", False),
        ("1 2", False), ("1\n", False), ("٣", False), ("²", False), ("me", False), ("../1", False),
    ],
    ids=ascii,
)  # fmt: skip
def test_metas_ids_are_digits(name: str, field: str, value: str, right: bool) -> None:
    assert is_taken(name, field, value) is right


@pytest.mark.parametrize(("prefix", "field"), [("AC", "account_sid"), ("MG", "messaging_service_sid")])
@pytest.mark.parametrize(
    ("rest", "right"),
    [
        ("0123456789abcdef0123456789abcdef", True), ("0123456789ABCDEF0123456789ABCDEF", True), ("0" * 31, False),
        ("0" * 33, False), ("g" * 32, False), ("", False), ("0" * 31 + "\n", False), ("0" * 32 + "\n", False),
    ],
    ids=ascii,
)  # fmt: skip
def test_twilios_sids_have_a_prefix_and_32_digits(prefix: str, field: str, rest: str, right: bool) -> None:
    base = {"from_number": ""} if field == "messaging_service_sid" else {}

    named = problems("twilio", **base, **{field: prefix + rest})

    assert (named == {}) is right
    assert right or named[field] == f"must begin with {prefix} and have 32 hexadecimal digits after it"
    assert problems("twilio", **base, **{field: "SM" + "0" * 32}) != {}
    assert problems("twilio", **base, **{field: prefix.lower() + "0" * 32}) != {}


@pytest.mark.parametrize(
    ("value", "right"),
    [("abcd1234", True), ("A" * 32, True), ("a" * 33, False), ("abc-1", False), ("a b", False), ("a\n", False), ("é", False)],
)  # fmt: skip
def test_vonages_key_is_letters_and_digits(value: str, right: bool) -> None:
    assert is_taken("vonage", "api_key", value) is right


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("login_code", True), ("1", True), ("_", True), ("a" * 512, True), ("a" * 513, False), ("Login", False),
        ("login-code", False), ("login code", False), ("login\n", False), ("código", False), ("a/b", False),
    ],
    ids=lambda value: ascii(value)[:20],
)  # fmt: skip
def test_a_templates_name_is_as_meta_spells_it(value: str, right: bool) -> None:
    assert is_taken("meta", "template_name", value) is right


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (["en"], True), (("en", "pt_BR", "fil", "zh_HK"), True), (["en", "en"], True),
        (["en-US"], False), (["EN"], False), (["en_us"], False), (["english"], False), (["e"], False), ([""], False),
        (["en", ""], False), (["en\n"], False), (["en_USA"], False), (["zh_Hant"], False), ("en", False),
        ([None], False), ([["en"]], False),
    ],
    ids=str,
)  # fmt: skip
def test_a_language_is_as_meta_spells_it(value: object, right: bool) -> None:
    assert is_taken("meta", "template_languages", value) is right


def test_the_language_that_is_wrong_is_named() -> None:
    (sentence,) = problems("meta", template_languages=["en", "pt-BR", "deutsch"]).values()

    assert sentence == "pt-BR: must look like en or pt_BR"


@pytest.mark.parametrize(
    ("number", "service", "field"),
    [("+15005550006", SERVICE, "from_number"), ("", "", "from_number"), ("", SERVICE, ""), ("Acme", "", "")],
)
def test_twilio_sends_from_one_of_both(number: str, service: str, field: str) -> None:
    named = problems("twilio", from_number=number, messaging_service_sid=service)

    assert named == ({field: "give either from or messaging_service_sid"} if field else {})


# In general -------------------------------------------------------------------------------------------


@given(st.sampled_from(SECRET_FIELDS), st.text(max_size=40))
def test_no_problem_repeats_a_secret(place: tuple[str, str], value: str) -> None:
    """Problems are shown in the admin, printed by `apply` and logged."""
    name, field = place
    marked = f"{value}never-shown é"

    assert "never-shown" not in str(problems(name, **{field: marked}))


@given(st.sampled_from(SECRET_FIELDS), st.text(alphabet=string.printable[:94], min_size=1, max_size=500))
def test_every_printable_secret_is_taken(place: tuple[str, str], value: str) -> None:
    assert is_taken(*place, value)


@given(
    st.sampled_from([*SENDER_IDS, *META_IDS, ("meta", "template_name"), ("vonage", "api_key")]),
    st.text(min_size=1, max_size=40),
)
def test_no_text_with_a_line_break_or_another_script_is_taken(place: tuple[str, str], value: str) -> None:
    if is_taken(*place, value):
        assert re.fullmatch(r"[0-9A-Za-z+_& -]+", value)


@given(st.dictionaries(st.text(max_size=12), st.none() | st.text(max_size=12) | st.integers(), max_size=5))
def test_any_mapping_has_problems_in_words_and_never_crashes(values: dict[str, Any]) -> None:
    for provider in PROVIDERS.values():
        for field, sentence in provider.problems(values):
            assert sentence
            assert isinstance(field, str)


def test_a_declaration_without_settings_of_its_own_takes_nothing() -> None:
    from channels.provider_settings import ProviderSettings

    bare: Provider[Any] = Provider(
        name="bare",
        label="Bare",
        channels=frozenset(),
        settings=ProviderSettings,
        backend=lambda: None,  # type: ignore[arg-type,return-value] # never made
        check=lambda *_: iter(()),
    )

    assert bare.problems({}) == []
    assert bare.problems({"url": "x"}) == [("url", "is not a key of bare")]
    assert (bare.inputs, bare.secret_names) == ({}, frozenset())
