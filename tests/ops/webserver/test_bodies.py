"""What may be posted where (field fault D4, and P4 for bodies that bring no signature)."""

import json
from http import HTTPStatus

import pytest

from ops.webserver.bodies import DEFAULT, KIB, refusal, refusal_before_reading, rule_for, rules

SIGNED = {"x-hub-signature-256": "sha256=" + "0a" * 32}


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/whatsapp/webhook", 4 * KIB * KIB),
        ("/sms/twilio/status", 64 * KIB),
        ("/sms/http/status", 16 * KIB),
        ("/admin/channels/sender/add/", KIB * KIB),
        ("/login/", 64 * KIB),
        ("/api/v1/challenges", 64 * KIB),
        ("/nowhere", 64 * KIB),
    ],
)
def test_each_path_has_a_size_and_a_time(path: str, limit: int) -> None:
    rule = rule_for(path)

    assert rule.limit == limit
    assert 0 < rule.seconds <= 30


def test_every_rule_ends() -> None:
    assert all(rule.seconds <= 30 and rule.limit <= 4 * KIB * KIB for _, rule in [*rules(), ("", DEFAULT)])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (SIGNED, None),
        ({}, 401),
        ({"x-hub-signature-256": ""}, 401),
        ({"x-hub-signature-256": "sha1=" + "0a" * 20}, 401),
        ({"x-hub-signature-256": "sha256=" + "0A" * 32}, 401),
        ({"x-hub-signature-256": "sha256=" + "0a" * 33}, 401),
        ({"x-hub-signature-256": " sha256=" + "0a" * 32}, 401),
        ({"x-twilio-signature": "anything"}, 401),
    ],
)
def test_p4_a_webhook_without_a_well_formed_signature_is_not_read(
    headers: dict[str, str], status: int | None
) -> None:
    answer = refusal_before_reading(
        rule_for("/whatsapp/webhook"), path="/whatsapp/webhook", declared="100", header=headers.get
    )

    assert (answer.status if answer else None) == status


@pytest.mark.parametrize(
    ("headers", "status"), [({"x-twilio-signature": "A" * 27 + "="}, None), ({}, 401), (SIGNED, 401)]
)
def test_p4_a_report_of_twilio_without_a_signature_is_not_read(
    headers: dict[str, str], status: int | None
) -> None:
    answer = refusal_before_reading(
        rule_for("/sms/twilio/status"), path="/sms/twilio/status", declared="100", header=headers.get
    )

    assert (answer.status if answer else None) == status


@pytest.mark.parametrize(
    ("declared", "status"), [("1", None), ("65536", None), ("65537", 413), ("200000000", 413), (None, None)]
)
def test_d4_a_body_over_the_limit_of_its_path_is_not_read(declared: str | None, status: int | None) -> None:
    answer = refusal_before_reading(
        rule_for("/login/"), path="/login/", declared=declared, header=dict[str, str]().get
    )

    assert (answer.status if answer else None) == status


def test_an_api_caller_reads_a_problem() -> None:
    answer = refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "/api/v1/challenges")

    assert answer.content_type == "application/problem+json"
    assert json.loads(answer.body)["code"] == "invalid_request"
    assert json.loads(answer.body)["status"] == 413


def test_an_overloaded_process_says_when_to_come_again() -> None:
    problem = refusal(HTTPStatus.SERVICE_UNAVAILABLE, "/api/v1/challenges")
    page = refusal(HTTPStatus.SERVICE_UNAVAILABLE, "/login/")

    assert json.loads(problem.body)["code"] == "unavailable"
    assert ("retry-after", "1") in problem.headers
    assert ("retry-after", "1") in page.headers
    assert ("connection", "close") in page.headers
