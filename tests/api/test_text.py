"""Control characters and halves of characters in what programs send: refused once, for every field and header."""

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from api import parsers
from api.errors import Problem
from oidc.parameters import is_text
from otp.models import Challenge
from tests import factories
from tests.api.conftest import CHALLENGES, SECRET, App, basic, code_of, nothing_new, problem
from tests.api.test_idempotency import KEY

ESCAPES = ["\\u0000", "\\u0001", "\\u001f", "\\u007f", "\\u009f", "\\ud800", "\\udfff", "\\ud83d"]
FIELDS = ["client_id", "phone", "country", "channel", "purpose", "end_user_ip", "nobody_knows_it"]


def started_with(app: App, raw: str, **headers: str) -> Any:
    return app.call("POST", CHALLENGES, raw.encode(), **headers)


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("field", FIELDS)
def test_no_field_of_a_start_takes_them(app: App, field: str, escape: str) -> None:
    """Escaped as JSON spells it; at any depth, and as a name."""
    body = json.dumps({"client_id": "acme-web", "phone": factories.PHONE} | {field: "a@b"}).replace(
        "@", escape
    )
    deep = json.dumps({"client_id": "acme-web", "phone": factories.PHONE, field: [{"x": ["a@b"]}]})
    name = json.dumps({"client_id": "acme-web", "phone": factories.PHONE, "a@b": 1, field: "x"})

    with nothing_new():
        for raw in (body, deep.replace("@", escape), name.replace("@", escape)):
            problem(started_with(app, raw), 400, "invalid_request")


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_hint_about_language_need_not_be_text(app: App, escape: str) -> None:
    """It never fails a request, and it is never kept."""
    body = json.dumps({"client_id": "acme-web", "phone": factories.PHONE, "locale": "fr@"}).replace(
        "@", escape
    )

    assert started_with(app, body).status_code == 201
    assert Challenge.objects.get().language in ("en", "fr")


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("field", ["code", "mode", "end_user_ip", "nobody_knows_it"])
def test_no_field_of_a_guess_takes_them(app: App, field: str, escape: str) -> None:
    """No attempt is lost."""
    name = app.started()
    body = json.dumps({"code": code_of(name)} | {field: "1@2"}).replace("@", escape)

    refused = problem(app.call("POST", f"{CHALLENGES}/{name}/verify", body.encode()), 400, "invalid_request")

    assert refused["invalid_params"] == {field: "contains invalid characters"}
    assert app.read(name).json()["attempts_left"] == 5


@pytest.mark.parametrize("raw", ["\x7f", "\x80", "\x9f"])
def test_unescaped_ones_that_json_lets_through_are_refused_too(app: App, raw: str) -> None:
    body = json.dumps({"client_id": "acme-web", "phone": factories.PHONE, "x": raw}, ensure_ascii=False)

    problem(started_with(app, body), 400, "invalid_request")


@pytest.mark.parametrize("between", ["\n", "\t", "\r\n", " \n "])
def test_lines_between_what_people_paste_are_no_control_characters(app: App, between: str) -> None:
    """A number or a code from a message may stand on a line of its own."""
    name = app.started(f"+852{between}51234567{between}")
    code = code_of(name)

    assert app.verify(name, f"{between}{code[:3]}{between}{code[3:]}{between}").status_code == 200


@pytest.mark.parametrize("control", ["\0", "\x01", "\n", "\x7f", "\x9f"])
@pytest.mark.parametrize("where", ["name", "secret"])
def test_the_authorization_header_takes_none(server: App, control: str, where: str) -> None:
    """Raw within base64 and percent-encoded within that."""
    name, secret = ("acme-server", SECRET)
    for text in (control, "%" + f"{ord(control):02X}" if ord(control) < 128 else control):
        pair = (f"{name}{text}", secret) if where == "name" else (name, f"{secret}{text}")
        body = json.dumps({"phone": factories.PHONE})
        headers = {"Authorization": basic(*pair)}
        with nothing_new():
            problem(App().call("POST", CHALLENGES, body.encode(), **headers), 400, "invalid_request")


@pytest.mark.parametrize(
    "header", ["Basic", "Basic ", "Basic %00", f"Basic {base64.b64encode(bytes(range(256))).decode()}"]
)
def test_what_is_no_basic_header_proves_nothing(app: App, header: str) -> None:
    with nothing_new():
        problem(app.start(headers={"Authorization": header}), 401, "invalid_client")


@pytest.mark.parametrize("key", ["a\0b", "a\x1fb", "a\x7fb", "a\x80b", "\ud800"])
def test_idempotency_keys_take_none(app: App, key: str) -> None:
    app.http.defaults["HTTP_IDEMPOTENCY_KEY"] = key  # as a server passes it on, whatever the wire brought

    with nothing_new():
        problem(app.start(), 400, "invalid_request")
    del app.http.defaults["HTTP_IDEMPOTENCY_KEY"]
    assert app.start(headers=KEY).status_code == 201


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def strings_of(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for item in (*value, *value.values()) for text in strings_of(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings_of(item)]
    return [value] if isinstance(value, str) else []


@examples(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(field=st.sampled_from([*FIELDS, "locale"]), value=JSON)
def test_whatever_is_sent_is_no_crash(app: App, field: str, value: object) -> None:
    """Invalid characters are always refused."""
    body = {"client_id": "acme-web", "phone": "+1", field: value}
    response = app.call("POST", CHALLENGES, json.dumps(body).encode())

    assert response.status_code < 500
    if field not in ("phone", "locale") and not all(map(is_text, strings_of(value))):
        assert response.json()["code"] == "invalid_request"


@given(
    body=st.dictionaries(st.text(max_size=5), JSON, max_size=3),
    escaped=st.booleans(),
    indent=st.sampled_from([None, 1]),
)
def test_a_body_that_is_all_printed_holds_text_alone(
    body: dict[str, Any], escaped: bool, indent: int | None
) -> None:
    """Its strings are not looked at one by one, and what is said of the body is the same."""
    try:
        raw = json.dumps(body, ensure_ascii=escaped, indent=indent).encode()
    except UnicodeEncodeError:
        return  # half a character, which is no UTF-8
    refused: list[object] = []
    for check in (
        parsers.Sent(media_type="application/json", raw=raw).parse,
        lambda: parsers._check_text(body),
    ):
        try:
            check()
        except Problem as problem:
            refused.append((problem.detail, problem.more))
        else:
            refused.append(None)
    assert refused[0] == refused[1]


def test_the_strings_of_a_plain_body_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsers, "_check_text", lambda _body: pytest.fail("they were"))
    raw = json.dumps({"client_id": "acme-web", "phone": factories.PHONE}).encode()

    assert parsers.Sent(media_type="application/json", raw=raw).parse()["phone"] == factories.PHONE
