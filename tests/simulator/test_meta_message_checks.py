"""Every check of Meta's send call, one change to a right request at a time."""

import json
from typing import Any

import pytest

from simulator.accounts import Accounts, WhatsAppAccount
from simulator.meta.errors import GraphError
from simulator.meta.message_checks import TemplateMessage, check_message
from simulator.meta.templates import TemplateStore
from tests.simulator.support import BUSINESS_ID, PHONE, template_message

ACCOUNT = WhatsAppAccount()
MISSING = object()


def check(body: dict[str, Any], *, status: str = "") -> TemplateMessage:
    templates = TemplateStore(Accounts())
    if status:
        templates.change_status(BUSINESS_ID, "one_time_password", "en", status)
    return check_message(body, account=ACCOUNT, templates=templates)


def code_of(body: dict[str, Any], *, status: str = "") -> int:
    with pytest.raises(GraphError) as refused:
        check(body, status=status)
    return refused.value.code


def changed(body: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """The request with one part replaced or taken away; numbers in the path are list positions."""
    copied: dict[str, Any] = json.loads(json.dumps(body))  # body and button share one parameter
    *parents, last = path.split(".")
    part: Any = copied
    for name in parents:
        part = part[int(name) if name.isdigit() else name]
    key: Any = int(last) if last.isdigit() else last
    if value is MISSING:
        del part[key]
    else:
        part[key] = value
    return copied


def text(value: object) -> dict[str, object]:
    return {"type": "text", "text": value}


BODY = {"type": "body", "parameters": [text("482913")]}
BUTTON = {"type": "button", "sub_type": "url", "index": "0", "parameters": [text("482913")]}


def test_a_right_request_is_understood() -> None:
    asked = check(template_message(biz_opaque_callback_data="dlv_1"))

    assert (asked.to, asked.code, asked.reference) == (PHONE, "482913", "dlv_1")
    assert (asked.template.name, asked.template.language) == ("one_time_password", "en")


def test_the_code_is_not_in_the_representation() -> None:
    assert "482913" not in repr(check(template_message()))


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("messaging_product", MISSING, 100),
        ("messaging_product", "sms", 100),
        ("recipient_type", "group", 100),
        ("to", MISSING, 100),
        ("to", "", 100),
        ("to", "0", 131009),
        ("to", "+85251234567890123", 131009),
        ("to", ["+85251234567"], 131009),
        ("to", "US.1", 131062),
        ("to", "+1 555-010-0300", 131021),
        ("type", MISSING, 131047),
        ("type", "text", 131047),
        ("type", "image", 131047),
        ("biz_opaque_callback_data", 5, 100),
        ("biz_opaque_callback_data", "x" * 513, 100),
        ("template", MISSING, 100),
        ("template", "one_time_password", 100),
        ("template.name", MISSING, 100),
        ("template.name", "", 100),
        ("template.name", 5, 100),
        ("template.name", "One_Time_Password", 132001),
        ("template.language", MISSING, 100),
        ("template.language", "en", 100),
        ("template.language", {}, 100),
        ("template.language.code", 5, 100),
        ("template.language.code", "EN", 132001),
        ("template.language.code", "es-MX", 132001),
        ("template.language.code", "es_AR", 132001),
        ("template.language.code", "es_MX", 132015),
        ("template.components", MISSING, 132000),
        ("template.components", [], 132000),
        ("template.components", {}, 100),
        ("template.components", ["body"], 100),
        ("template.components", [BODY], 131008),
        ("template.components", [BUTTON], 132000),
        ("template.components", [BODY, BODY, BUTTON], 132018),
        ("template.components", [BODY, BUTTON, {"type": "header"}], 132018),
        ("template.components", [BODY, BUTTON, BUTTON], 132018),
        ("template.components.0.parameters", MISSING, 132000),
        ("template.components.0.parameters", "482913", 100),
        ("template.components.0.parameters", [text("1"), text("1")], 132000),
        ("template.components.0.parameters.0", {"type": "currency"}, 132018),
        ("template.components.0.parameters.0.text", "", 131008),
        ("template.components.0.parameters.0.text", 482913, 131008),
        ("template.components.0.parameters.0.text", "111111", 132018),
        ("template.components.1.sub_type", MISSING, 132018),
        ("template.components.1.sub_type", "copy_code", 132018),
        ("template.components.1.index", MISSING, 132018),
        ("template.components.1.index", 1, 132018),
        ("template.components.1.parameters", [], 132000),
        ("template.components.1.parameters", [text("482913"), text("482913")], 132000),
        ("template.components.1.parameters", None, 100),
        ("template.components.1.parameters.0", {"type": "coupon_code", "coupon_code": "482913"}, 132018),
        ("template.components.1.parameters.0.text", "482914", 132018),
    ],
)
def test_a_wrong_request_has_metas_code(path: str, value: object, code: int) -> None:
    assert code_of(changed(template_message(), path, value)) == code


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("recipient_type", MISSING),
        ("to", "85251234567"),
        ("to", "+852 5123 4567"),
        ("to", "+852-5123-4567"),
        ("to", "+(852) 5123.4567"),
        ("template.language.policy", "deterministic"),
        ("template.components.0.type", "BODY"),
        ("template.components.1.type", "Button"),
        ("template.components.1.sub_type", "URL"),
        ("template.components.1.index", 0),
        ("template.components", [BUTTON, BODY]),
        ("context", {"message_id": "wamid.1"}),
        ("messaging_account_id", "1"),
    ],
)
def test_a_request_may_be_written_in_other_ways(path: str, value: object) -> None:
    asked = check(changed(template_message(), path, value))

    assert (asked.to, asked.code) == (PHONE, "482913")


@pytest.mark.parametrize("code", ["1234", "7" * 15, "A$1-b"])
def test_a_code_has_up_to_fifteen_characters_of_any_kind(code: str) -> None:
    assert check(template_message(code=code)).code == code


def test_a_code_of_sixteen_characters_is_too_long() -> None:
    assert code_of(template_message(code="7" * 16)) == 132005


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("PAUSED", 132015),
        ("DISABLED", 132016),
        ("PENDING", 132001),
        ("REJECTED", 132001),
        ("IN_APPEAL", 132001),
        ("LIMIT_EXCEEDED", 132001),
        ("ARCHIVED", 132001),
        ("PENDING_DELETION", 132001),
        ("DELETED", 132001),
    ],
)
def test_only_an_approved_template_is_sent(status: str, code: int) -> None:
    assert code_of(template_message(), status=status) == code


def test_a_template_of_another_account_does_not_exist() -> None:
    account = WhatsAppAccount(phone_number_id="2", business_account_id="3")

    with pytest.raises(GraphError) as refused:
        check_message(template_message(), account=account, templates=TemplateStore(Accounts()))

    assert refused.value.code == 132001


@pytest.mark.parametrize("components", [[], [{"type": "body"}], [{"type": "body", "parameters": []}]])
def test_a_template_without_code_takes_no_parameters(components: list[object]) -> None:
    body = template_message()
    body["template"] = {"name": "hello_world", "language": {"code": "en_US"}, "components": components}

    assert check(body).code is None


def test_a_template_without_code_refuses_parameters() -> None:
    body = template_message()
    body["template"].update(name="hello_world", language={"code": "en_US"})

    assert code_of(body) == 132000
