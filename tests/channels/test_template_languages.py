"""P1: which languages one send tries, in which order, how many, and in how much time."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import respx

from channels.errors import MEANINGS, SendError
from channels.providers.meta import backend as whatsapp
from channels.providers.meta.backend import WhatsAppBackend
from channels.providers.meta.codes import REASONS
from channels.types import FailureReason, Receipt, TemplateRefusal
from core import http
from otp import policy
from tests.channels import support
from tests.core.wire import QUICK, Wire, answer, serving
from tests.fixtures.load import load

F = FailureReason
BASE = "https://graph.example/v26.0"
TAKEN = {"messages": [{"id": support.WAMID, "message_status": "accepted"}]}
# Every code of Meta's block about templates, of which 132068 and 132069 are about flows.
OF_TEMPLATES = [
    132000,
    132001,
    132005,
    132007,
    132008,
    132012,
    132015,
    132016,
    132018,
    132999,
    131063,
    134102,
]


@pytest.fixture
def backend() -> Iterator[WhatsAppBackend]:
    client = http.HttpClient()
    yield WhatsAppBackend(client)
    client.close()


@pytest.fixture
def meta(settings: Any) -> Iterator[respx.Route]:
    settings.PROVIDER_API_URLS = {"whatsapp": BASE}
    with respx.mock:
        yield respx.post(f"{BASE}/330022114455667/messages")


def refused(code: object) -> respx.MockResponse:
    return respx.MockResponse(400, json={"error": {"code": code}})


def tried(meta: respx.Route) -> list[str]:
    return [json.loads(call.request.content)["template"]["language"]["code"] for call in meta.calls]


def send(backend: WhatsAppBackend, *languages: str, **fields: Any) -> Receipt:
    return backend.send(support.message(**fields), support.whatsapp_sender(template_languages=languages))


@pytest.mark.parametrize("code", OF_TEMPLATES)
def test_another_language_is_tried_for_every_code_that_is_about_a_template(
    code: int, backend: WhatsAppBackend, meta: respx.Route
) -> None:
    meta.side_effect = [refused(code), respx.MockResponse(200, json=TAKEN)]

    receipt = send(backend, "en", "es_MX", "es")

    assert tried(meta) == ["es_MX", "es"]
    assert (receipt.provider_message_id, receipt.template_language) == (support.WAMID, "es")
    assert receipt.refusals == (
        TemplateRefusal(language="es_MX", reason=REASONS[code], provider_code=str(code)),
    )


@pytest.mark.parametrize(
    "code", [0, 10, 33, 100, 190, 368, 803, 131026, 131042, 131049, 130429, 132068, 133010]
)
def test_trouble_of_number_token_account_or_recipient_is_the_same_in_every_language(
    code: int, backend: WhatsAppBackend, meta: respx.Route
) -> None:
    meta.side_effect = [refused(code)]

    with pytest.raises(SendError) as caught:
        send(backend, "en", "es_MX", "es")

    assert tried(meta) == ["es_MX"]
    assert caught.value.refusals == ()
    assert not MEANINGS[caught.value.reason].template


def test_no_more_than_one_other_language(backend: WhatsAppBackend, meta: respx.Route) -> None:
    meta.side_effect = [refused(132015), refused(132001)]

    with pytest.raises(SendError) as caught:
        send(backend, "en", "es_MX", "es", "fr")

    assert tried(meta) == ["es_MX", "es"]
    assert (caught.value.reason, caught.value.provider_code) == (F.TEMPLATE_MISSING, "132001")
    assert [item.language for item in caught.value.refusals] == ["es_MX", "es"]


def test_what_the_other_language_meets_decides(backend: WhatsAppBackend, meta: respx.Route) -> None:
    """The number is not on WhatsApp: nothing more is tried, and the first language is still reported."""
    meta.side_effect = [refused(132015), refused(131026)]

    with pytest.raises(SendError) as caught:
        send(backend, "en", "es_MX")

    assert caught.value.reason is F.NOT_ON_CHANNEL
    assert [item.language for item in caught.value.refusals] == ["es_MX"]


def test_a_message_that_meta_takes_and_calls_paused_is_refused_for_its_template(
    backend: WhatsAppBackend, meta: respx.Route
) -> None:
    meta.side_effect = [
        respx.MockResponse(200, json=load("send/200-paused.json")),
        respx.MockResponse(200, json=TAKEN),
    ]

    receipt = send(backend, "en", "es_MX")

    assert receipt.template_language == "en"
    assert receipt.refusals[0].reason is F.TEMPLATE_PAUSED


@pytest.mark.parametrize(
    ("requested", "languages", "order"),
    [
        ("es-MX", ("en", "es_MX", "es_AR", "es"), ["es_MX", "es"]),
        ("es-MX", ("fr", "es_MX", "en"), ["es_MX", "en"]),
        ("zh-Hant-HK", ("en", "zh_HK", "zh_CN", "zh_TW"), ["zh_HK", "zh_TW"]),
        ("sw", ("de", "fr"), ["de", "fr"]),
        ("en", ("en",), ["en"]),
    ],
)
def test_what_is_read_best_comes_first(
    requested: str,
    languages: tuple[str, ...],
    order: list[str],
    backend: WhatsAppBackend,
    meta: respx.Route,
) -> None:
    meta.respond(404, json={"error": {"code": 132001}})

    with pytest.raises(SendError):
        send(backend, *languages, language=requested)

    assert tried(meta) == order


def test_an_object_that_is_not_there_is_the_senders_trouble(
    backend: WhatsAppBackend, meta: respx.Route
) -> None:
    """P5: Meta's 100 with subcode 33 is a wrong phone number ID or a token without rights; plain 100 is our request."""
    for subcode, reason in ((33, F.MISCONFIGURED), (2494055, F.BAD_REQUEST)):
        meta.respond(400, json={"error": {"code": 100, "error_subcode": subcode}})
        with pytest.raises(SendError) as caught:
            send(backend, "en")
        assert caught.value.reason is reason


@pytest.fixture
def quick() -> Iterator[http.HttpClient]:
    client = http.HttpClient(QUICK)
    yield client
    client.close()


# Time ------------------------------------------------------------------------------------------------


def test_both_calls_together_stay_within_the_time_of_one_and_within_the_claim() -> None:
    """A worker that holds a delivery for longer is thought dead, and the message is sent twice."""
    assert http.Limits().call < policy.LEASE.total_seconds()
    assert http.Limits().call > whatsapp._SHORTEST_CALL_SECONDS


def test_a_slow_refusal_leaves_no_time_for_another_language(
    quick: http.HttpClient, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(whatsapp, "_SHORTEST_CALL_SECONDS", 0.3)  # of 0.4

    def slow(wire: Wire) -> None:
        time.sleep(0.15)
        wire.send(answer(400, {"error": {"code": 132015}}))

    with serving(slow) as server:
        settings.PROVIDER_API_URLS = {"whatsapp": server.url}
        with pytest.raises(SendError) as caught:
            send(WhatsAppBackend(quick), "en", "es")

    assert len(server.requests) == 1
    assert [item.language for item in caught.value.refusals] == ["es"]


def test_the_other_call_gets_what_is_left_of_the_time(
    quick: http.HttpClient, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(whatsapp, "_SHORTEST_CALL_SECONDS", 0.1)
    count = iter(range(2))
    ends: list[float] = []
    post = quick.post

    def noted(url: str, **fields: Any) -> http.Answer:
        ends.append(fields["until"])
        return post(url, **fields)

    def act(wire: Wire) -> None:
        if next(count) == 0:
            time.sleep(0.2)
            wire.send(answer(400, {"error": {"code": 132015}}))
        else:
            wire.hang()

    monkeypatch.setattr(quick, "post", noted)
    began = time.monotonic()
    with serving(act) as server:
        settings.PROVIDER_API_URLS = {"whatsapp": server.url}
        receipt = send(WhatsAppBackend(quick), "en", "es")
    ended = time.monotonic()

    # One end for both, not one each; that a call keeps to its end is the business of test_http.py.
    assert len(set(ends)) == 1
    assert began + QUICK.call <= ends[0] <= ended
    assert receipt == Receipt(certain=False, template_language="en", refusals=receipt.refusals)
    assert [item.language for item in receipt.refusals] == ["es"]
    assert len(server.requests) == 2
