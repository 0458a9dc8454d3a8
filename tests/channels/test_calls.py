"""A provider's call in our words: what did not go out, and what a bare HTTP status means."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from channels import calls
from channels.errors import MEANINGS, SendError
from channels.types import FailureReason
from core import http
from core.errors import CallFailed, CallProblem
from core.outgoing import NOT_PUBLIC, Refused
from tests.channels import support


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (301, FailureReason.MISCONFIGURED),
        (307, FailureReason.MISCONFIGURED),
        (400, FailureReason.UNKNOWN),
        (401, FailureReason.MISCONFIGURED),
        (403, FailureReason.MISCONFIGURED),
        (404, FailureReason.UNKNOWN),
        (429, FailureReason.RATE_LIMITED),
        (500, FailureReason.UNAVAILABLE),
        (502, FailureReason.UNAVAILABLE),
        (503, FailureReason.UNAVAILABLE),
        (504, FailureReason.UNAVAILABLE),
    ],
)
def test_what_a_bare_status_means(status: int, reason: FailureReason) -> None:
    error = calls.refusal(http.Answer(status=status, body=b""))

    assert (error.reason, error.provider_code) == (reason, f"http-{status}")


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (CallFailed(CallProblem.UNREACHABLE, detail="ConnectionRefusedError"), FailureReason.UNAVAILABLE, ""),
        (CallFailed(CallProblem.UNUSABLE, detail="InvalidURL"), FailureReason.MISCONFIGURED, ""),
        (Refused(NOT_PUBLIC), FailureReason.MISCONFIGURED, NOT_PUBLIC),
    ],
)
@pytest.mark.parametrize("method", ["post", "get"])
def test_a_call_that_did_not_go_out_is_a_send_error(
    method: str, error: CallFailed, reason: FailureReason, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise error

    client = http.HttpClient()
    monkeypatch.setattr(client, method, fail)

    arguments: dict[str, Any] = {"content": b""} if method == "post" else {}
    with pytest.raises(SendError) as caught:
        getattr(calls, method)(client, "https://provider.example/", headers={}, **arguments)

    assert (caught.value.reason, caught.value.provider_code) == (reason, code)
    assert error.detail in str(caught.value)
    client.close()


@pytest.mark.parametrize(
    ("value", "longest", "kept"),
    [
        ("SM0123", 64, "SM0123"),
        (support.WAMID, 255, support.WAMID),
        ("x" * 64, 64, "x" * 64),
        ("x" * 65, 64, ""),
        ("", 64, ""),
        ("a b", 64, ""),
        ("a\n", 64, ""),
        ("a\0b", 64, ""),
        ("\ud800", 64, ""),
        ("é", 64, ""),
        (5, 64, ""),
        (None, 64, ""),
        (["a"], 64, ""),
    ],
    ids=ascii,
)
def test_an_id_is_one_that_can_be_stored_or_none(value: object, longest: int, kept: str) -> None:
    assert calls.message_id(value, longest=longest) == kept


@pytest.mark.parametrize(
    ("named", "address"),
    [
        ({}, "https://api.example.com"),
        ({"other": "https://elsewhere.example"}, "https://api.example.com"),
        ({"vendor": "https://proxy.example/path"}, "https://proxy.example/path"),
        ({"vendor": ""}, "https://api.example.com"),
    ],
)
def test_the_base_address_of_a_provider_can_be_moved(
    named: dict[str, str], address: str, settings: Settings
) -> None:
    url = calls.ApiUrl("vendor", "https://api.example.com")

    settings.PROVIDER_API_URLS = named

    assert f"{url}/v1/messages" == f"{address}/v1/messages"


@pytest.mark.parametrize(
    ("code", "shown"),
    [(None, "http-400"), (0, "0"), (131026, "131026"), ("low-balance", "low-balance"), ("x" * 30, "x" * 20)],
)
def test_the_code_that_an_operator_sees(code: object, shown: str) -> None:
    assert calls.refusal(http.Answer(status=400, body=b""), None, code).provider_code == shown


@given(st.integers(100, 599))
def test_every_status_means_something_and_only_these_are_tried_again(status: int) -> None:
    reason = calls.status_reason(status)

    assert MEANINGS[reason].retry is (status == 429 or status >= 500)
    assert MEANINGS[reason].alert is (status in (401, 403) or 300 <= status < 400)
