"""Every check of a new template, one change to a right request at a time."""

from typing import Any

import pytest

from simulator.meta.errors import GraphError
from simulator.meta.template_checks import check_draft, check_language, minutes_in
from simulator.meta.templates import Draft

APP = {"package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}


def request(button: dict[str, object] | None = None, **changes: object) -> dict[str, Any]:
    otp = {"type": "OTP", "otp_type": "COPY_CODE", **(button or {})}
    components = [
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "FOOTER", "code_expiration_minutes": 5},
        {"type": "BUTTONS", "buttons": [otp]},
    ]
    return {"name": "login_code", "category": "AUTHENTICATION", "components": components, **changes}


def problem(body: dict[str, Any], *, button_texts: bool = True) -> str:
    with pytest.raises(GraphError) as refused:
        check_draft(body, button_texts=button_texts)
    assert refused.value.code == 100
    return refused.value.details or refused.value.message


def test_a_right_request_becomes_a_draft() -> None:
    draft = check_draft(request({"text": "Copy it"}, message_send_ttl_seconds=90), button_texts=True)

    assert draft == Draft(
        name="login_code",
        category="AUTHENTICATION",
        advice=True,
        minutes=5,
        button_text="Copy it",
        otp_type="COPY_CODE",
        ttl_seconds=90,
    )


def test_words_may_be_in_lower_case() -> None:
    body = request({"type": "otp", "otp_type": "copy_code"}, category="authentication")
    for component in body["components"]:
        component["type"] = component["type"].lower()

    assert check_draft(body, button_texts=True).category == "AUTHENTICATION"


@pytest.mark.parametrize("name", ["name", "category", "components"])
def test_a_missing_part_is_named(name: str) -> None:
    body = request()
    del body[name]

    assert problem(body) == f"(#100) The parameter {name} is required."


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"name": "Login"}, "name:"),
        ({"name": "login code"}, "name:"),
        ({"name": "x" * 513}, "name:"),
        ({"name": 5}, "name:"),
        ({"category": "UTILITY"}, "category:"),
        ({"components": "BODY"}, "components: must be a list"),
        ({"components": [5]}, "components: must be a list"),
        ({"components": [{"type": "BODY"}]}, "components: BODY and BUTTONS"),
        ({"components": [*request()["components"], {"type": "HEADER"}]}, "components: BODY and BUTTONS"),
        ({"components": [*request()["components"], {"type": "BODY"}]}, "components: one of each"),
        ({"message_send_ttl_seconds": 29}, "message_send_ttl_seconds:"),
        ({"message_send_ttl_seconds": 901}, "message_send_ttl_seconds:"),
        ({"message_send_ttl_seconds": True}, "message_send_ttl_seconds:"),
        ({"message_send_ttl_seconds": "60"}, "message_send_ttl_seconds:"),
    ],
)
def test_a_wrong_part_is_named(changes: dict[str, Any], start: str) -> None:
    assert problem(request(**changes)).startswith(start)


@pytest.mark.parametrize(("ttl", "seconds"), [(30, 30), (900, 900), (-1, 2_592_000)])
def test_the_time_to_live_has_bounds(ttl: int, seconds: int) -> None:
    assert check_draft(request(message_send_ttl_seconds=ttl), button_texts=True).ttl_seconds == seconds


@pytest.mark.parametrize("minutes", [0, 91, True, "10", 1.5])
def test_the_lifetime_is_from_1_to_90_minutes(minutes: object) -> None:
    body = request()
    body["components"][1]["code_expiration_minutes"] = minutes

    assert problem(body) == "code_expiration_minutes: must be from 1 to 90"


def test_a_footer_without_a_lifetime_says_nothing() -> None:
    body = request()
    del body["components"][1]["code_expiration_minutes"]

    assert check_draft(body, button_texts=True).minutes is None


@pytest.mark.parametrize("buttons", [None, [], "OTP", [5], [{"type": "OTP"}, {"type": "OTP"}]])
def test_there_is_one_button(buttons: object) -> None:
    body = request()
    body["components"][2]["buttons"] = buttons

    assert problem(body) == "buttons: exactly one button is required"


@pytest.mark.parametrize(
    ("button", "word"),
    [
        ({"type": "URL"}, "type must be OTP"),
        ({"otp_type": "SMS"}, "type must be OTP"),
        ({"text": ""}, "text must have 1 to 25"),
        ({"text": "x" * 26}, "text must have 1 to 25"),
        ({"text": 5}, "text must have 1 to 25"),
        ({"autofill_text": "x" * 26}, "autofill_text must have 1 to 25"),
        ({"otp_type": "ONE_TAP"}, "1 to 5 supported_apps"),
        ({"otp_type": "ONE_TAP", "supported_apps": []}, "1 to 5 supported_apps"),
        ({"otp_type": "ONE_TAP", "supported_apps": [APP] * 6}, "1 to 5 supported_apps"),
        ({"otp_type": "ONE_TAP", "supported_apps": ["app"]}, "package_name and a signature_hash"),
        ({"otp_type": "ONE_TAP", "supported_apps": [{}]}, "package_name and a signature_hash"),
        ({"otp_type": "ONE_TAP", "supported_apps": [{**APP, "package_name": "app"}]}, "package_name"),
        (
            {"otp_type": "ONE_TAP", "supported_apps": [{**APP, "package_name": "a." + "b" * 223}]},
            "package_name",
        ),
        ({"otp_type": "ONE_TAP", "supported_apps": [{**APP, "signature_hash": "short"}]}, "signature_hash"),
        ({"otp_type": "ZERO_TAP", "supported_apps": [APP]}, "zero_tap_terms_accepted"),
        (
            {"otp_type": "ZERO_TAP", "supported_apps": [APP], "zero_tap_terms_accepted": "true"},
            "zero_tap_terms_accepted",
        ),
    ],
)
def test_a_wrong_button_is_named(button: dict[str, object], word: str) -> None:
    assert word in problem(request(button))


@pytest.mark.parametrize(
    "button",
    [
        {"otp_type": "ONE_TAP", "supported_apps": [APP]},
        {"otp_type": "ZERO_TAP", "supported_apps": [APP] * 5, "zero_tap_terms_accepted": True},
        {"text": "x" * 25, "autofill_text": "x" * 25},
    ],
)
def test_a_right_button_is_accepted(button: dict[str, object]) -> None:
    draft = check_draft(request(button), button_texts=True)

    assert draft.otp_type == button.get("otp_type", "COPY_CODE")


@pytest.mark.parametrize("name", ["text", "autofill_text"])
def test_templates_in_bulk_have_no_texts_of_their_own(name: str) -> None:
    assert problem(request({name: "Copy"}), button_texts=False).endswith("when templates are made in bulk")


def test_the_text_of_the_body_is_preset() -> None:
    body = request()
    body["components"][0]["text"] = "Our code: {{1}}"

    assert "preset" in problem(body)


@pytest.mark.parametrize("language", ["no", "tl", "pt", "zh", "iw", "EN", "en-US", "", None, 5])
def test_an_unlisted_language_is_refused(language: object) -> None:
    with pytest.raises(GraphError) as refused:
        check_language(language)

    assert refused.value.code == 100


@pytest.mark.parametrize("language", ["nb", "fil", "pt_BR", "pt_PT", "zh_HK", "zh_TW", "he", "id"])
def test_a_listed_language_is_accepted(language: str) -> None:
    assert check_language(language) == language


@pytest.mark.parametrize(("text", "minutes"), [("", None), ("1", 1), ("90", 90)])
def test_a_query_gives_the_lifetime_as_text(text: str, minutes: int | None) -> None:
    assert minutes_in(text) == minutes


@pytest.mark.parametrize("text", ["0", "91", "ten", "-5", "²", "1" * 5000])
def test_a_query_with_another_lifetime_is_refused(text: str) -> None:
    with pytest.raises(GraphError):
        minutes_in(text)
