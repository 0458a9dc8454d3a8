"""Answers that no reference describes: whatever a provider says to a message, it is a receipt or a SendError."""

import json
import string
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import respx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.base import Backend, SenderConfig
from channels.errors import SendError
from channels.providers.gateway import GatewayBackend
from channels.providers.meta.backend import WhatsAppBackend
from channels.providers.twilio.backend import TwilioBackend
from channels.providers.vonage import VonageBackend
from channels.types import FailureReason, Receipt
from core import http
from tests.channels import support

GATEWAY = "https://gateway.example/messages"
URLS = {
    "whatsapp": "https://graph.example",
    "twilio": "https://twilio.example",
    "vonage": "https://vonage.example",
}
type Make = tuple[Callable[[http.HttpClient], Backend[Any]], Callable[[], SenderConfig[Any]]]
MAKERS: dict[str, Make] = {
    "meta": (WhatsAppBackend, support.whatsapp_sender),
    "twilio": (TwilioBackend, support.twilio_sender),
    "vonage": (VonageBackend, support.vonage_sender),
    "http": (GatewayBackend, lambda: support.gateway_sender(url=GATEWAY)),
}
NAMES = list(MAKERS)


def taken(name: str, message_id: object) -> dict[str, object]:
    """A yes with this id."""
    bodies: dict[str, dict[str, object]] = {
        "meta": {"messages": [{"id": message_id}]},
        "twilio": {"sid": message_id, "status": "queued"},
        "vonage": {"message_uuid": message_id},
        "http": {"id": message_id},
    }
    return bodies[name]


@pytest.fixture(scope="module")
def client() -> Iterator[http.HttpClient]:
    client = http.HttpClient()
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _addresses(settings: Any) -> None:
    settings.PROVIDER_API_URLS = URLS


def outcome(name: str, client: http.HttpClient, status: int, body: object) -> Receipt | SendError:
    make, sender = MAKERS[name]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with respx.mock:
        respx.route(method="POST").respond(status, content=content)
        try:
            return make(client).send(support.message(), sender())
        except SendError as error:
            return error


# Ids --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "message_id",
    [
        "abc\0def",
        "abc\ndef",
        "\ud800",
        "ab\x7f",
        "with space",
        "é",
        "😀",
        "\u202e",
        5,
        True,
        None,
        1.5,
        ["a"],
        {},
    ],
    ids=ascii,
)
def test_an_id_that_cannot_be_stored_is_no_id_and_the_message_is_not_repeated(
    name: str, message_id: object, client: http.HttpClient
) -> None:
    """PostgreSQL refuses NUL and half characters: the accepted message would be sent again, and again."""
    receipt = outcome(name, client, 200, taken(name, message_id))

    assert isinstance(receipt, Receipt)
    assert receipt.provider_message_id == ""
    assert receipt.certain is (name == "http")  # a gateway's bare yes is a yes


@pytest.mark.parametrize("name", NAMES)
@given(st.text(alphabet=string.ascii_letters + string.digits + "-_.=+/:", min_size=1, max_size=64))
@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
def test_any_usual_id_is_kept_as_it_is(name: str, client: http.HttpClient, message_id: str) -> None:
    """Reports are matched by it."""
    receipt = outcome(name, client, 201, taken(name, message_id))

    assert isinstance(receipt, Receipt)
    assert (receipt.provider_message_id, receipt.certain) == (message_id, True)


@pytest.mark.parametrize(("name", "longest"), [("meta", 255), ("twilio", 64), ("vonage", 64), ("http", 255)])
def test_the_longest_id(name: str, longest: int, client: http.HttpClient) -> None:
    """255 is the column."""
    for length, kept in ((longest, "x" * longest), (longest + 1, "")):
        receipt = outcome(name, client, 200, taken(name, "x" * length))
        assert isinstance(receipt, Receipt)
        assert receipt.provider_message_id == kept


# Twilio's SDK reads more of an answer than is needed -----------------------------------------------------

YES = {"sid": "SM00000000000000000000000000000003", "status": "queued"}


@pytest.mark.parametrize(
    "more",
    [
        {"date_created": "Thu, 99 Nov 2026 12:00:00 +0000"},
        {"date_updated": "Thu, 26 Nov 2026 99:00:00 +0000"},
        {"date_sent": 1795428012},
        {"date_sent": ["x"]},
        {"error_code": float("inf")},
        {"error_code": [1]},
        {"error_code": "9" * 4000},
        {"subresource_uris": 5},
        {"num_segments": {}},
    ],
    ids=lambda more: next(iter(more)),
)
def test_what_is_odd_beside_the_id_of_an_accepted_sms_does_not_repeat_it(
    more: dict[str, object], client: http.HttpClient
) -> None:
    assert outcome("twilio", client, 201, YES | more) == Receipt(provider_message_id=YES["sid"])


@pytest.mark.parametrize("status", [["failed"], {"failed": 1}, None, 5, True, "", "unheard-of", "FAILED"])
def test_a_status_that_is_no_known_word_is_no_failure(status: object, client: http.HttpClient) -> None:
    assert outcome("twilio", client, 201, YES | {"status": status}) == Receipt(provider_message_id=YES["sid"])


@pytest.mark.parametrize("word", ["failed", "undelivered", "canceled"])
@pytest.mark.parametrize(
    ("code", "reason", "shown"),
    [
        (30003, FailureReason.UNREACHABLE, "30003"),
        ("30003", FailureReason.UNREACHABLE, "30003"),
        (None, FailureReason.UNKNOWN, "http-201"),
        (7, FailureReason.UNKNOWN, "http-201"),
        (float("nan"), FailureReason.UNKNOWN, "http-201"),
        ([30003], FailureReason.UNKNOWN, "http-201"),
        ("9" * 4000, FailureReason.UNKNOWN, "9" * 20),
    ],
    ids=str,
)
def test_a_message_that_failed_as_it_was_made(
    word: str, code: object, reason: FailureReason, shown: str, client: http.HttpClient
) -> None:
    error = outcome("twilio", client, 201, YES | {"status": word, "error_code": code})

    assert isinstance(error, SendError)
    assert (error.reason, error.provider_code) == (reason, shown)


@pytest.mark.parametrize(
    "status", ["400", None, [], {}, 200, 0, 1e300], ids=str
)  # in the body; HTTP said 400
def test_the_status_of_an_error_is_the_one_that_http_said(status: object, client: http.HttpClient) -> None:
    """RFC 9457 repeats it in the body, where it may be anything."""
    error = outcome("twilio", client, 400, {"type": "t", "title": "t", "status": status, "code": 5})

    assert isinstance(error, SendError)
    assert (error.reason, error.provider_code) == (FailureReason.UNKNOWN, "http-400")


# Anything at all ---------------------------------------------------------------------------------------

KEYS = [
    "messages", "id", "message_status", "error", "code", "error_subcode", "fbtrace_id", "sid", "status", "error_code",
    "date_created", "type", "title", "detail", "message", "message_uuid",
]  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["failed", "held_for_quality_assessment", "rate_limited", "https://x.example/#1240", "190"]
    )
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)
BODIES = st.binary(max_size=60) | JSON
STATUSES = st.sampled_from([200, 201, 202, 204, 302, 400, 401, 404, 422, 429, 500, 503])


@pytest.mark.parametrize("name", NAMES)
@given(status=STATUSES, body=BODIES)
@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
def test_whatever_a_provider_answers_it_is_a_receipt_or_a_send_error(
    name: str, client: http.HttpClient, status: int, body: object
) -> None:
    result = outcome(name, client, status, body)

    if isinstance(result, SendError):
        assert isinstance(result.reason, FailureReason)
        assert 0 < len(result.provider_code) <= 20
        assert result.provider_code.isascii()
    else:
        assert len(result.provider_message_id) <= 255
        assert 200 <= status < 300


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"error": ' * 20_000,
        b'{"id": "' + b"x" * 200_000,
        b'{"code": ' + b"9" * 5_000 + b"}",
        b"\xef\xbb\xbf{}",
        b"\x00" * 70_000,
        '{"error": "é"}'.encode("utf-16"),
        b'{"messages": [{"id": 1}], "messages": 5}',
    ],
    ids=["deep", "nested", "cut off", "huge number", "mark", "zeros", "utf-16", "twice"],
)
def test_a_body_that_is_huge_or_no_text(name: str, status: int, body: bytes, client: http.HttpClient) -> None:
    result = outcome(name, client, status, body)

    if status == 200:
        assert isinstance(result, Receipt)
        assert result.certain is (name == "http")
    else:
        assert isinstance(result, SendError)
        assert (result.reason, result.provider_code) == (FailureReason.UNKNOWN, "http-400")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [400, 401, 404, 422, 429, 500])
def test_no_refusal_repeats_what_the_provider_wrote(name: str, status: int, client: http.HttpClient) -> None:
    """It quotes the number, the text and now and then the token."""
    quoted = f"cannot send {support.CODE} to {support.PHONE} with {support.SECRETS[0]}"
    body = {
        "message": quoted,
        "detail": quoted,
        "title": quoted,
        "type": quoted,
        "error": {"message": quoted},
    }

    error = outcome(name, client, status, body)

    assert isinstance(error, SendError)
    chain = f"{error!r} {error.__cause__!r}"
    assert [word for word in (support.CODE, support.PHONE, *support.SECRETS) if word in chain] == []
