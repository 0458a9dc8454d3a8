"""Templates in pages and by their ids: every one is seen once, whatever the size of a page."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulator.support import BUSINESS_ID, TOKEN
from tests.simulator.test_meta_templates import TEMPLATES, UPSERT, button, get, new_template, post
from tests.simulator_client import SimulatorClient

LIST = f"{BUSINESS_ID}/message_templates"


def pages(client: SimulatorClient, **query: Any) -> list[list[dict[str, Any]]]:
    """All pages, as a caller follows `next`."""
    answer = get(client, LIST, **query).json()
    result = [answer["data"]]
    while "next" in answer["paging"]:
        answer = client.http.get(answer["paging"]["next"], headers=TOKEN).json()
        result.append(answer["data"])
    return result


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(limit=st.integers(1, 20))
def test_pages_together_are_the_list(client: SimulatorClient, limit: int) -> None:
    every = [item["id"] for item in get(client, LIST, limit=100).json()["data"]]

    seen = pages(client, limit=limit)

    assert [item["id"] for page in seen for item in page] == every
    assert all(len(page) == limit for page in seen[:-1])
    assert 0 < len(seen[-1]) <= limit


def test_a_filter_holds_on_every_page(client: SimulatorClient) -> None:
    seen = pages(client, limit=2, name="one_time", status="approved")

    assert {item["status"] for page in seen for item in page} == {"APPROVED"}
    assert sum(map(len, seen)) > 2


def test_behind_the_last_page_there_is_nothing(client: SimulatorClient) -> None:
    after = get(client, LIST, limit=100).json()["paging"]["cursors"]["after"]

    assert get(client, LIST, after=after).json() == {"data": [], "paging": {}}


def test_a_summary_counts_all_and_those_that_match(client: SimulatorClient) -> None:
    summary = get(client, LIST, limit=1, language="fr", summary="total_count").json()["summary"]

    assert (summary["total_count"], summary["message_template_count"]) == (1, 15)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"category": "UTILITY"}, "category: must be AUTHENTICATION"),
        ({}, "category: must be AUTHENTICATION"),
    ],
)
def test_only_authentication_has_previews(client: SimulatorClient, query: dict[str, str], text: str) -> None:
    answer = get(client, f"{BUSINESS_ID}/message_template_previews", **query)

    assert answer.status_code == 400
    assert text in str(answer.json()["error"])


def test_a_preview_without_an_expiry_has_no_footer(client: SimulatorClient) -> None:
    [preview] = get(client, f"{BUSINESS_ID}/message_template_previews", category="authentication").json()[
        "data"
    ]

    assert preview.keys() == {"body", "buttons", "language"}
    assert "security" not in preview["body"]


def test_a_template_is_changed_by_its_id_and_keeps_it(client: SimulatorClient) -> None:
    made = post(client, TEMPLATES, new_template()).json()
    components = [{"type": "BODY"}, {"type": "FOOTER", "code_expiration_minutes": 9}, button()[1]]

    answer = post(client, f"/v26.0/{made['id']}", {"components": components}).json()

    assert (answer["success"], answer["id"]) == (True, made["id"])
    footer = get(client, made["id"]).json()["components"][1]
    assert footer["code_expiration_minutes"] == 9


@pytest.mark.parametrize(
    ("query", "left"), [({}, set[str]()), ({"hsm_id": "first"}, {"sv"}), ({"hsm_id": "0"}, {"nl", "sv"})]
)
def test_deleting_takes_one_language_or_all(
    client: SimulatorClient, query: dict[str, str], left: set[str]
) -> None:
    made = post(client, UPSERT, new_template(languages=["nl", "sv"])).json()["data"]
    named = {name: made[0]["id"] if value == "first" else value for name, value in query.items()}

    answer = client.http.delete(TEMPLATES, params={"name": "login_code", **named}, headers=TOKEN)

    assert answer.status_code == (404 if query.get("hsm_id") == "0" else 200)
    assert {item["language"] for item in get(client, LIST, name="login_code").json()["data"]} == left
    assert client.http.delete(TEMPLATES, headers=TOKEN).json()["error"]["code"] == 100
