"""Plain bodies are read without their serializer: whatever is sent, both say the same."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import Problem
from api.serializers import requests
from otp import codes
from users.phones import InvalidPhone

LONGEST = {"client_id": 100, "phone": 64, "code": codes.LONGEST_INPUT}
words = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
texts = st.one_of(
    words,
    st.text(max_size=12),
    st.sampled_from(
        ["+85251234567", "85251234567", " +852 5123 4567 ", "123456", "12 34 56", "\u0661\u0662", "x\u2028"]
    ),
    st.sampled_from(sorted(set(LONGEST.values()))).flatmap(
        lambda length: st.sampled_from(["1" * length, "1" * (length + 1), "1" * length + " ", " " * length])
    ),
)
values = st.one_of(texts, st.none(), st.booleans(), st.integers(), st.lists(texts, max_size=1))
fields = [
    "client_id",
    "phone",
    "code",
    "country",
    "channel",
    "locale",
    "purpose",
    "mode",
    "end_user_ip",
    "other",
]
bodies = st.one_of(
    st.dictionaries(st.sampled_from(fields), values, max_size=4),
    st.fixed_dictionaries({"phone": texts}, optional={"client_id": texts}),
    st.fixed_dictionaries({"code": texts}, optional={"client_id": values, "other": values}),
)


def said(read: Callable[[Mapping[str, Any]], object], body: Mapping[str, Any]) -> object:
    try:
        return read(body)
    except Problem as problem:
        return problem.code, problem.detail, problem.more
    except InvalidPhone as error:
        return error.problem


@pytest.mark.parametrize("read", [requests.start, requests.verify])
@given(body=bodies)
def test_the_short_way_says_what_the_serializer_says(
    read: Callable[[Mapping[str, Any]], object], body: dict[str, Any]
) -> None:
    short = said(read, body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests, "_is_plain", lambda *_: False)
        assert said(read, body) == short


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (requests.start, {"phone": "+85251234567"}),
        (requests.start, {"phone": "+85251234567", "client_id": "acme-web"}),
        (requests.start, {"phone": "+85251234567", "client_id": "acme-web", "unknown": ["\u0661", None]}),
        (requests.verify, {"code": "123456"}),
        (requests.verify, {"code": "123456", "client_id": "acme-web"}),
        (requests.verify, {"code": "123456", "client_id": None, "phone": "\n", "unknown": {"code": 1}}),
    ],
)
def test_a_plain_body_takes_the_short_way(
    read: Callable[[Mapping[str, Any]], object], body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "_checked", lambda *_: pytest.fail("the serializer was asked"))

    read(body)


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (requests.start, {}),
        (requests.start, {"client_id": "acme-web"}),
        (requests.start, {"phone": ""}),
        (requests.start, {"phone": "+852 51234567"}),
        (requests.start, {"phone": "1" * 65}),
        (requests.start, {"phone": "+85251234567", "client_id": None}),
        (requests.start, {"phone": "+85251234567", "country": "HK"}),
        (requests.verify, {}),
        (requests.verify, {"code": "12 34 56"}),
        (requests.verify, {"code": 123456}),
        (requests.verify, {"code": "123456", "mode": "tokens"}),
        (requests.verify, {"code": "123456", "client_id": "acme-web", "mode": "other"}),
        (requests.verify, {"code": "123456", "mode": None}),
        (requests.verify, {"code": "123456", "end_user_ip": "203.0.113.7"}),
    ],
)
def test_any_other_body_is_checked_by_the_serializer(
    read: Callable[[Mapping[str, Any]], object], body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Asked(Exception):
        pass

    def ask(*_: object) -> None:
        raise Asked

    monkeypatch.setattr(requests, "_checked", ask)

    with pytest.raises(Asked):
        read(body)
