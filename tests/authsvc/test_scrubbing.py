"""What leaves for Sentry and for a collector of traces, whatever the event looks like."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import strategies as st

from authsvc import telemetry

PHONE = "+85251234567"
plain = st.text("abc .:-", max_size=8)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), plain, plain.map(lambda text: f"{text} {PHONE}")
)
events = st.dictionaries(
    st.sampled_from(["message", "logentry", "exception", "breadcrumbs", "tags", "contexts"]),
    st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.tuples(inner, inner), st.dictionaries(plain, inner, max_size=3)
        ),
        max_leaves=12,
    ),
)


def shape(value: object) -> object:
    """An event without its texts: lists, objects and numbers as they are."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [shape(item) for item in value]
    return "" if isinstance(value, str) else value


@given(event=events)
def test_a_number_is_masked_wherever_it_stands(event: dict[str, Any]) -> None:
    """P2."""
    before = shape(event)

    kept = telemetry.scrubbed(event, {})

    assert PHONE[1:] not in json.dumps(kept)
    assert shape(kept) == before


@given(event=events, more=st.dictionaries(st.sampled_from(["user", "extra"]), leaves))
def test_who_it_was_and_what_else_was_at_hand_never_leave(
    event: dict[str, Any], more: dict[str, Any]
) -> None:
    assert not {"user", "extra"} & telemetry.scrubbed(event | more, {}).keys()


@pytest.mark.parametrize(
    ("request_part", "kept"),
    [
        ({"method": "POST", "url": "https://a.example/login/?x=1#y"}, {"method": "POST", "url": "https://a.example/login/"}),
        ({"url": "https://a.example/whatsapp/webhook?hub.verify_token=t"}, {"url": "https://a.example/whatsapp/webhook"}),
        ({"method": "GET"}, {"method": "GET", "url": ""}),
        ({"env": {"REMOTE_ADDR": "203.0.113.9"}, "headers": [], "cookies": {}, "data": "x", "fragment": "y"}, {"url": ""}),
        ({}, {"url": ""}),
    ],
)  # fmt: skip
def test_of_a_request_nothing_else_is_kept(request_part: dict[str, Any], kept: dict[str, Any]) -> None:
    assert telemetry.scrubbed({"request": request_part}, {})["request"] == kept


@pytest.mark.parametrize("value", [None, "text", ["list"], 7])
def test_a_request_of_another_form_stops_no_event(value: object) -> None:
    assert telemetry.scrubbed({"request": value, "message": "m"}, {}) == {"request": value, "message": "m"}


# Traces --------------------------------------------------------------------------------------------


class Span:
    def __init__(self, **attributes: str) -> None:
        self.attributes = {name.replace("_", "."): value for name, value in attributes.items()}

    def set_attribute(self, name: str, value: str) -> None:
        self.attributes[name] = value


@pytest.mark.parametrize("name", ["http_url", "http_target", "url_full", "url_path", "url_query"])
def test_no_attribute_of_a_url_keeps_a_query(name: str) -> None:
    span = Span(**{name: "/login/?phone=85251234567", "http_method": "GET"})

    telemetry.drop_query(span, RequestFactory().get("/login/?phone=85251234567"), None)

    assert span.attributes == {name.replace("_", "."): "/login/", "http.method": "GET"}


def test_what_was_not_recorded_is_not_added() -> None:
    span = Span(http_method="GET")

    telemetry.drop_query(span, RequestFactory().get("/login/?x=1"), None)

    assert span.attributes == {"http.method": "GET"}


def test_a_span_that_records_nothing_is_left_alone() -> None:
    """One that was not sampled has no attributes."""

    class Unsampled:
        attributes: ClassVar[None] = None

    telemetry.drop_query(Unsampled(), RequestFactory().get("/login/"), None)


# Starting ------------------------------------------------------------------------------------------


@pytest.fixture
def _sentry_off() -> Iterator[None]:
    yield
    sentry_sdk.init()


@pytest.mark.usefixtures("_sentry_off")
@pytest.mark.parametrize(
    "dsn", ["nonsense", "https://sentry.example.com/1", "https://secret@", "ftp://secret@s.example/1"]
)
def test_a_wrong_dsn_stops_the_start_with_one_line(dsn: str) -> None:
    """D6: without it errors would go nowhere, and nobody would notice."""
    with override_settings(SENTRY_DSN=dsn), pytest.raises(ImproperlyConfigured) as caught:
        telemetry.start()

    assert str(caught.value) == "SENTRY_DSN must look like https://key@sentry.example.com/1"


@pytest.mark.usefixtures("_sentry_off")
def test_sentry_is_asked_for_nothing_that_would_hold_a_person() -> None:
    with override_settings(SENTRY_DSN="https://key@sentry.example.com/1", MODE="production"):
        telemetry.start()

    options = sentry_sdk.get_client().options
    assert options["environment"] == "production"
    assert not options["include_local_variables"]
    assert not options["send_default_pii"]
    assert (options["max_request_body_size"], options["max_breadcrumbs"]) == ("never", 0)
    assert options["before_send"] is telemetry.scrubbed


def test_unset_it_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(telemetry, "_start_sentry", lambda: started.append("sentry"))
    monkeypatch.setattr(telemetry, "_start_tracing", lambda: started.append("traces"))

    with override_settings(SENTRY_DSN="", OTEL_EXPORTER_OTLP_ENDPOINT=""):
        telemetry.start()
    assert started == []
    with override_settings(
        SENTRY_DSN="https://key@s.example/1", OTEL_EXPORTER_OTLP_ENDPOINT="http://c.example"
    ):
        telemetry.start()
    assert started == ["sentry", "traces"]
