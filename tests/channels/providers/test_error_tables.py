"""What the codes of all providers come to: one class each, and for each class what follows from it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import respx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.base import Backend, SenderConfig
from channels.calls import status_reason
from channels.errors import MEANINGS, SendError
from channels.providers import PROVIDERS, gateway, vonage
from channels.providers.gateway import GatewayBackend
from channels.providers.meta import codes as meta_codes
from channels.providers.meta.backend import WhatsAppBackend
from channels.providers.twilio import codes as twilio_codes
from channels.providers.twilio.backend import TwilioBackend
from channels.providers.vonage import VonageBackend, error_code
from channels.types import FailureReason
from core import http
from tests.channels import support
from tests.channels.providers.error_classes import CLASSES

F = FailureReason
GATEWAY_URL = "https://gateway.example/messages"
URLS = {
    "whatsapp": "https://graph.example",
    "twilio": "https://twilio.example",
    "vonage": "https://vonage.example",
}
TABLES: dict[str, Mapping[Any, FailureReason]] = {
    "meta": meta_codes.REASONS,
    "twilio": twilio_codes.REASONS,
    "vonage": vonage.REASONS,
    "http": gateway.REASONS,
}
type Make = tuple[
    Callable[[http.HttpClient], Backend[Any]], Callable[[], SenderConfig[Any]], Callable[[Any], object]
]
MAKERS: dict[str, Make] = {
    "meta": (
        WhatsAppBackend,
        lambda: support.whatsapp_sender(template_languages=("en",)),
        lambda code: {"error": {"code": code}},
    ),
    "twilio": (
        TwilioBackend,
        support.twilio_sender,
        lambda code: {"code": code, "message": "no", "status": 400},
    ),
    "vonage": (
        VonageBackend,
        support.vonage_sender,
        lambda code: {"type": f"https://developer.vonage.com/api-errors/messages#{code}"},
    ),
    "http": (
        GatewayBackend,
        lambda: support.gateway_sender(url=GATEWAY_URL),
        lambda code: {"error": code},
    ),
}


@pytest.fixture(scope="module")
def client() -> Iterator[http.HttpClient]:
    client = http.HttpClient()
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _addresses(settings: Any) -> None:
    settings.PROVIDER_API_URLS = URLS


def refused(name: str, code: object, status: int, client: http.HttpClient) -> SendError:
    make, sender, body = MAKERS[name]
    with respx.mock:
        respx.route(method="POST").respond(status, json=body(code))
        with pytest.raises(SendError) as caught:
            make(client).send(support.message(), sender())
    return caught.value


EACH = [
    (name, code, reason) for name, by in CLASSES.items() for reason, codes in by.items() for code in codes
]


@pytest.mark.parametrize(("name", "code", "reason"), EACH)
def test_a_code_is_of_its_class_whatever_http_said(
    name: str, code: Any, reason: FailureReason, client: http.HttpClient
) -> None:
    for status in (400, 429, 500):
        error = refused(name, code, status, client)
        assert (error.reason, error.provider_code) == (reason, str(code)[:20])


@pytest.mark.parametrize("name", TABLES)
def test_a_code_has_one_class(name: str) -> None:
    codes = [code for codes in CLASSES[name].values() for code in codes]

    assert len(codes) == len(set(codes))
    assert set(codes) <= set(TABLES[name])


@pytest.mark.parametrize("name", TABLES)
def test_each_class_that_a_provider_knows_has_an_example_here(name: str) -> None:
    """A class that is new in a table is new here."""
    assert set(CLASSES[name]) == set(TABLES[name].values())


@pytest.mark.parametrize("name", TABLES)
def test_no_provider_says_what_only_we_can_decide(name: str) -> None:
    ours = {F.SKIPPED, F.NO_SENDER, F.LIMIT, F.CRASHED, F.NO_REPORT, F.UNKNOWN}

    assert not ours & set(TABLES[name].values())


@pytest.mark.parametrize("name", [name for name in TABLES if name != "meta"])
def test_only_a_provider_with_templates_blames_a_template(name: str) -> None:
    assert not any(MEANINGS[reason].template for reason in TABLES[name].values())


@pytest.mark.parametrize("name", TABLES)
def test_a_code_fits_its_column(name: str) -> None:
    assert max(len(str(code)) for code in TABLES[name]) <= 20


@pytest.mark.parametrize("name", ["meta", "twilio"])
@given(code=st.integers(1000, 10**9))
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
def test_any_number_maps_to_one_class(name: str, client: http.HttpClient, code: int) -> None:
    error = refused(name, code, 400, client)

    assert error.reason is TABLES[name].get(code, F.UNKNOWN)
    assert error.provider_code == str(code)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 418, 429, 500, 503, 599])
def test_an_unknown_code_is_told_by_its_status_and_kept_for_the_operator(
    name: str, status: int, client: http.HttpClient
) -> None:
    unheard_of = {"meta": 999_999, "twilio": 99_999, "vonage": "9999", "http": "unheard_of"}[name]

    error = refused(name, unheard_of, status, client)

    assert error.reason is status_reason(status)
    kept = f"http-{status}" if name == "http" else str(unheard_of)  # a gateway's word may be anything
    assert error.provider_code == kept


# Blocks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "usual", "others"),
    [
        (132000, 132999, F.TEMPLATE_UNFIT, {132001, 132015, 132016, 132068, 132069}),
        (133000, 133999, F.MISCONFIGURED, {133004}),
        (200, 299, F.MISCONFIGURED, set()),
    ],
)
def test_metas_blocks(first: int, last: int, usual: FailureReason, others: set[int]) -> None:
    codes = meta_codes.REASONS

    assert {code for code in range(first, last + 1) if codes[code] is not usual} == others
    assert codes.get(first - 1) is not usual
    assert codes.get(last + 1) is not usual


@pytest.mark.parametrize(
    ("first", "last", "usual"),
    [
        (20100, 20199, F.MISCONFIGURED),
        (20500, 20599, F.UNAVAILABLE),
        (21700, 21799, F.MISCONFIGURED),
        (30450, 30459, F.FRAUD_BLOCKED),
        (30700, 30999, F.MISCONFIGURED),
    ],
)
def test_twilios_blocks(first: int, last: int, usual: FailureReason) -> None:
    codes = twilio_codes.REASONS

    assert {codes[code] for code in range(first, last + 1)} == {usual}
    assert codes.get(last + 1) is not usual


def test_tables_do_not_change() -> None:
    for table in TABLES.values():
        with pytest.raises(TypeError):
            table["x"] = F.UNKNOWN  # type: ignore[index]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("https://developer.vonage.com/api-errors/messages#1240", "1240"),
        ("https://developer.nexmo.com/api-errors/#low-balance", "low-balance"),
        ("#1240", "1240"),
        ("a#b#1240", "1240"),
        ("https://x.example/#", ""),
        ("https://x.example/#1240 ", ""),
        ("https://x.example/#1240\n", ""),
        ("https://x.example/#UPPER", ""),
        (f"#{'1' * 20}", "1" * 20),
        (f"#{'1' * 21}", ""),
        ("1240", ""),
        ("", ""),
        (1240, ""),
        (None, ""),
        (["#1240"], ""),
    ],
)
def test_where_vonage_writes_its_code(kind: object, code: str) -> None:
    assert error_code({"type": kind}) == code
    assert error_code({}) == ""


def test_words_for_operators_name_codes_of_the_tables() -> None:
    """Beside HTTP statuses and what our own client refuses."""
    for name in ("meta", "twilio", "vonage"):
        known = {str(code) for code in TABLES[name]}
        assert {code for code in PROVIDERS[name].words_by_code if not code.startswith("http-")} <= known
