"""`/whatsapp/webhook` as Meta calls it (docs/contract.md, section 7): signatures, and the verification of the address."""

from typing import Any

import pytest
from django.test import Client

from tests import factories
from tests.fixtures.load import compact
from tests.webhooks import support
from tests.webhooks.contract import WebhookContract
from tests.webhooks.whatsapp import PATH, make_sender, post

pytestmark = pytest.mark.django_db


class TestContract(WebhookContract):
    path = PATH
    secret = support.SECRET
    previous_secret = support.OTHER_SECRET
    too_large = 5_000_000
    foreign_status = 200
    private = (support.WAMID, "5215550100123")

    def make_senders(self) -> None:
        make_sender()
        project = factories.make_project(senders=False)
        make_sender(
            project_id=project.id,
            phone_number_id=support.OTHER_NUMBER,
            business_account_id=support.OTHER_ACCOUNT,
            app_secret="of another app",
            app_secret_previous="",
        )

    def post(self, *, secret: str | None = None, signature: str | None = None, **kinds: Any) -> Any:
        status = support.status(id="wamid.nobodys") if kinds.get("unknown") else support.status()
        body = compact(
            support.payload(
                support.change(
                    support.OTHER_NUMBER if kinds.get("foreign") else support.NUMBER, statuses=[status]
                ),
                account=support.OTHER_ACCOUNT if kinds.get("foreign") else support.ACCOUNT,
            )
        )
        return post(body, secret=secret or self.secret, signature=signature, client=self.client)

    def post_raw(self, body: bytes) -> Any:
        return post(body, client=self.client)


# Verification ---------------------------------------------------------------------------------------


def verify(client: Client, **changed: str) -> Any:
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": "1839204471",
        "hub.verify_token": "our verify token",
    } | {f"hub.{name}": value for name, value in changed.items()}
    return client.get(PATH, query)


def test_the_challenge_is_the_whole_answer(client: Client) -> None:
    make_sender()

    response = verify(client)

    assert (response.status_code, response.content) == (200, b"1839204471")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert not response.cookies


def test_the_token_of_any_active_sender_will_do(client: Client) -> None:
    make_sender(verify_token="another")
    for number, token in enumerate(("our verify token", "a third", "sérvice ✓")):
        project = factories.make_project(senders=False, slug=f"p{number}", is_default=False)
        make_sender(project_id=project.id, verify_token=token)

    assert verify(client).status_code == 200
    assert verify(client, verify_token="another").status_code == 200
    assert verify(client, verify_token="sérvice ✓").status_code == 200
    assert verify(client, verify_token="a fourth").status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"verify_token": ""},
        {"verify_token": "wrong"},
        {"verify_token": "our verify token "},
        {"verify_token": "x" * 3000},
        {"mode": ""},
        {"mode": "unsubscribe"},
    ],
)
def test_anything_else_is_forbidden_and_not_reflected(client: Client, changed: dict[str, str]) -> None:
    make_sender()

    response = verify(client, **changed)

    assert (response.status_code, response.content) == (403, b"")


def test_nothing_at_all_is_forbidden(client: Client) -> None:
    make_sender()

    assert client.get(PATH).status_code == 403


@pytest.mark.parametrize(
    "fields", [{"is_active": False}, {"verify_token": ""}, {"provider": "memory"}, {"verify_token": "x"}]
)
def test_a_sender_without_that_token_verifies_nothing(client: Client, fields: dict[str, Any]) -> None:
    make_sender(**fields)

    assert verify(client).status_code == 403
    assert verify(client, verify_token="").status_code == 403


def test_markup_comes_back_as_plain_text(client: Client) -> None:
    make_sender()

    response = verify(client, challenge="<script>alert(1)</script>")

    assert response["Content-Type"].startswith("text/plain")


def test_an_endless_challenge_is_not_reflected(client: Client) -> None:
    make_sender()

    assert verify(client, challenge="9" * 257).status_code == 400
