"""Numbers and accounts that do not fit: what the first step says, and what it offers instead."""

from collections.abc import Iterator
from typing import Any

import pytest
import respx

from channels.findings import Finding, Level
from channels.providers.meta import connect
from channels.setup import Surroundings
from core import http
from tests.channels import support

BASE = "https://graph.example/v26.0"
NUMBER, ACCOUNT = "330022114455667", "220011223344556"
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
NOT_THERE = {"error": {"code": 100, "error_subcode": 33, "message": "Unsupported get request"}}


class Meta:
    """What is not named is well."""

    def __init__(self, router: respx.MockRouter, client: http.HttpClient) -> None:
        self.client = client
        self.number = router.get(f"{BASE}/{NUMBER}").respond(json={"id": NUMBER, "verified_name": "Acme"})
        self.numbers = router.get(f"{BASE}/{ACCOUNT}/phone_numbers").respond(json={"data": [{"id": NUMBER}]})
        self.token = router.get(f"{BASE}/debug_token")
        self.may_manage(ACCOUNT)

    def may_manage(self, *accounts: str) -> None:
        scopes = ["whatsapp_business_management", "whatsapp_business_messaging"]
        granular = [{"scope": scopes[0], "target_ids": list(accounts)}]
        data = {"is_valid": True, "scopes": scopes, "granular_scopes": granular}
        self.token.respond(json={"data": data})

    def check(self, **fields: Any) -> list[Finding]:
        sender = support.whatsapp_sender(**fields)
        return list(connect.check(sender, Surroundings(), self.client))

    def works(self) -> bool:
        """What the doctor goes by."""
        steps = connect.connect(support.whatsapp_sender(), Surroundings(), self.client)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return bool(end.value)


@pytest.fixture
def meta(settings: Any) -> Iterator[Meta]:
    settings.PROVIDER_API_URLS = {"whatsapp": BASE}
    client = http.HttpClient()
    with respx.mock(assert_all_called=False) as router:
        yield Meta(router, client)
    client.close()


def failed(findings: list[Finding]) -> Finding:
    (finding,) = (item for item in findings if item.level is FAIL and not item.text.startswith("no app "))
    return finding


def test_a_number_that_works_lets_the_doctor_go_on(meta: Meta) -> None:
    assert meta.works() is True


# A number that Meta does not know ---------------------------------------------------------------------


def test_a_number_that_is_not_there_is_answered_with_those_of_the_account(meta: Meta) -> None:
    meta.number.respond(400, json=NOT_THERE)
    meta.numbers.respond(
        json={"data": [{"id": "9", "display_phone_number": "+1 555-0109"}, {"id": "8"}, "x", None]}
    )

    finding = failed(meta.check())

    assert finding.text == (
        f"Meta does not know the phone number ID {NUMBER} for this token: error 100 (Unsupported get request)"
    )
    assert finding.remedy == "Store the right one. The account has: 8 (), 9 (+1 555-0109)."


def test_of_many_numbers_five_are_named(meta: Meta) -> None:
    meta.number.respond(400, json=NOT_THERE)
    meta.numbers.respond(json={"data": [{"id": str(nth)} for nth in range(1, 9)]})

    assert failed(meta.check()).remedy.endswith(": 1 (), 2 (), 3 (), 4 (), 5 ().")


@pytest.mark.parametrize("fields", [{"business_account_id": ""}, {}])
def test_without_a_list_it_says_where_the_id_stands(fields: dict[str, str], meta: Meta) -> None:
    meta.number.respond(404, json={"error": {"code": 803}})
    meta.numbers.respond(json={"data": []})

    assert failed(meta.check(**fields)).remedy.startswith("Copy the Phone number ID from the app")


def test_the_doctor_stops_at_a_number_that_is_not_there_but_the_token_is_still_judged(meta: Meta) -> None:
    meta.number.respond(400, json=NOT_THERE)

    assert meta.works() is False
    assert "the token does not expire" in [item.text for item in meta.check()]


def test_a_number_that_is_not_there_is_not_said_to_be_of_another_account(meta: Meta) -> None:
    meta.number.respond(400, json=NOT_THERE)
    meta.numbers.respond(json={"data": [{"id": "9"}]})

    texts = [item.text for item in meta.check()]

    assert f"the number belongs to the account {ACCOUNT}" in texts
    assert not any("is not one of the account" in text for text in texts)


# A token that Meta does not take ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "text", "remedy"),
    [
        ({"code": 190, "message": "Expired"}, "Meta refuses the access token: error 190 (Expired)", "Generate a token"),
        ({"code": 0}, "Meta refuses the access token: error 0", "Generate a token"),
        ({"code": 4}, "Meta refuses it: error 4", "Store a valid token"),
        ({"code": 100}, "Meta refuses it: error 100", "Store a valid token"),
    ],
)  # fmt: skip
def test_a_refusal_of_another_kind_ends_it(error: dict[str, Any], text: str, remedy: str, meta: Meta) -> None:
    meta.number.respond(400, json={"error": error})

    (finding,) = meta.check()

    assert (finding.level, finding.text) == (FAIL, text)
    assert finding.remedy.startswith(remedy)
    assert not meta.token.called
    assert meta.works() is False


# The account ------------------------------------------------------------------------------------------


def test_an_account_that_is_not_there_is_answered_with_those_of_the_token(meta: Meta) -> None:
    meta.numbers.respond(400, json=NOT_THERE)
    meta.may_manage("1", ACCOUNT, "2", "3", "4", "5", "6")

    finding = failed(meta.check())

    assert finding.text.startswith(f"Meta does not know the WhatsApp Business Account ID {ACCOUNT}")
    assert finding.remedy == "Store the right one. The token may use: 1, 2, 3, 4, 5."


@pytest.mark.parametrize("accounts", [(), (ACCOUNT,)])
def test_without_another_account_it_says_where_the_id_stands(accounts: tuple[str, ...], meta: Meta) -> None:
    meta.numbers.respond(403, json={"error": {"code": 200, "message": "No permission"}})
    meta.may_manage(*accounts)

    finding = failed(meta.check())

    assert finding.text == "the WhatsApp Business account cannot be read: error 200 (No permission)"
    assert finding.remedy.startswith("Copy it from the app")


def test_an_account_that_lists_nothing_says_nothing(meta: Meta) -> None:
    """It may be that the token does not see its numbers."""
    meta.numbers.respond(json={"data": []})

    assert not any("the account" in item.text for item in meta.check())


def test_a_trouble_without_advice_or_place_has_both(meta: Meta) -> None:
    errors = [{"error_description": "x" * 400}, {"error_description": ""}, {"possible_solution": "y"}]
    entities = [{"errors": errors}, {"entity_type": "APP", "errors": [{"error_description": "b"}] * 9}]
    meta.number.respond(json={"id": NUMBER, "health_status": {"entities": entities}})

    said = [item for item in meta.check() if item.text.startswith("Meta says: ")]

    assert [item.text for item in said] == [
        f"Meta says: account: {'x' * 291}",
        *["Meta says: APP: b"] * 4,
    ]
    assert {(item.level, item.remedy) for item in said} == {(WARN, "WhatsApp Manager says what to do.")}
