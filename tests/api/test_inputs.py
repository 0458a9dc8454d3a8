"""Bad input gets a clear error and changes nothing."""

from typing import Any

import pytest

from tests.api.conftest import CHALLENGES, App, code_of, nothing_new, problem

BROKEN: dict[str, Any] = {
    "a number": 1,
    "a fraction": 1.5,
    "a boolean": True,
    "a list": ["+85251234567"],
    "an object": {"x": "y"},
    "nothing but spaces": "  ",
    "NUL": "+852\x005123",
    "half a character": "\ud800",
    "too much": "1" * 65,
}


@pytest.mark.parametrize("value", BROKEN.values(), ids=list(BROKEN))
@pytest.mark.parametrize("field", ["client_id", "phone", "country", "channel", "end_user_ip"])
def test_a_start_with_a_broken_field(app: App, field: str, value: object) -> None:
    if (field, value) == ("client_id", "1" * 65):
        value = "1" * 101

    with nothing_new():
        refused = problem(app.start(**{field: value}), 400, "invalid_request")  # type: ignore[arg-type] # broken
    assert refused["invalid_params"].keys() == {field}
    assert refused["detail"].startswith(f"{field} ")
    assert "51234" not in str(refused)


@pytest.mark.parametrize("value", [*BROKEN.values(), None], ids=[*BROKEN, "null"])
def test_a_guess_with_a_broken_code_is_not_counted(app: App, value: object) -> None:
    name = app.started()

    refused = problem(
        app.call("POST", f"{CHALLENGES}/{name}/verify", {"code": value}), 400, "invalid_request"
    )

    assert refused["invalid_params"].keys() == {"code"}
    assert app.read(name).json()["attempts_left"] == 5


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"phone": ""}, "phone must not be empty."),
        ({"phone": None}, "phone must not be null."),
        ({"phone": 85251234567}, "phone must be a string."),
        ({"phone": "1" * 65}, "phone must be at most 64 characters long."),
        ({"phone": "+852\0"}, "phone contains invalid characters."),
        ({"channel": "email"}, "channel must be one of: whatsapp, sms."),
        ({"channel": ""}, "channel must be one of: whatsapp, sms."),
        ({"country": "HKG"}, "country must be two letters (ISO 3166)."),
        ({"country": "H1"}, "country must be two letters (ISO 3166)."),
        ({"country": "ZZ"}, "country is not a country."),
        ({"end_user_ip": "localhost"}, "end_user_ip is not an IP address."),
        ({"end_user_ip": "fe80::1%eth0"}, "end_user_ip is not an IP address."),
        ({"end_user_ip": "1.2.3.4/24"}, "end_user_ip is not an IP address."),
        ({"end_user_ip": "1.2.3.4, 5.6.7.8"}, "end_user_ip is not an IP address."),
    ],
)
def test_the_error_says_what_is_wrong(server: App, fields: dict[str, Any], detail: str) -> None:
    with nothing_new():
        assert problem(server.start(**fields), 400, "invalid_request")["detail"] == detail


def test_all_invalid_fields_are_reported_at_once(app: App) -> None:
    refused = problem(app.start("", channel="email"), 400, "invalid_request")

    assert refused["invalid_params"] == {
        "phone": "must not be empty",
        "channel": "must be one of: whatsapp, sms",
    }


def test_a_missing_field_is_reported(app: App) -> None:
    assert problem(app.call("POST", CHALLENGES, {}), 400, "invalid_request")["invalid_params"] == {
        "phone": "is missing"
    }
    name = app.started()
    refused = problem(app.call("POST", f"{CHALLENGES}/{name}/verify"), 400, "invalid_request")
    assert refused["invalid_params"] == {"code": "is missing"}


@pytest.mark.parametrize("mode", ["session", "", 1, ["assertion"], "ASSERTION"])
def test_an_unknown_mode_judges_no_code(app: App, mode: Any) -> None:
    """A misspelled `assertion` must not sign a person in."""
    name = app.started()

    refused = problem(app.verify(name, code_of(name), mode=mode), 400, "invalid_request")

    assert refused["invalid_params"] == {"mode": "must be one of: tokens, assertion"}
    assert app.read(name).json()["state"] == "pending"


@pytest.mark.parametrize("channel", ["email", "", 1, {}])
def test_an_unknown_channel_sends_nothing(app: App, channel: Any) -> None:
    name = app.started()

    with nothing_new():
        problem(app.send(name, channel=channel), 400, "invalid_request")


@pytest.mark.parametrize("address", ["203.0.113.9", "2001:DB8::1", "::ffff:203.0.113.9", " 203.0.113.9 "])
def test_addresses_are_taken_as_they_are_written(server: App, address: str) -> None:
    assert server.start(end_user_ip=address).status_code == 201


@pytest.mark.parametrize(
    "phone", ["+852 5123 4567", "tel:+85251234567", "00852 5123-4567", "+８５２５１２３４５６７"]
)
def test_numbers_are_taken_as_people_type_them(app: App, phone: str) -> None:
    assert app.start(phone).json()["phone_masked"] == "+852 •••• ••67"


def test_a_challenge_is_looked_for_before_the_body_is(app: App) -> None:
    """Who may not know the challenge learns nothing about what it would take."""
    problem(app.call("POST", f"{CHALLENGES}/nonsense/verify", {"code": 1}), 404, "challenge_not_found")
