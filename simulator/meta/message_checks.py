"""Everything that Meta's send call checks about a template message. Each check raises GraphError."""

import re
from dataclasses import dataclass, field

from simulator.accounts import WhatsAppAccount
from simulator.handsets.phone_numbers import is_e164
from simulator.meta import errors
from simulator.meta.templates import Template, TemplateStore

CODE_MAX_LENGTH = 15
REFERENCE_MAX_LENGTH = 512
# A template in another state than these and APPROVED does not exist for Meta's send call.
UNSENDABLE = {"PAUSED": 132015, "DISABLED": 132016}
_SEPARATORS = re.compile(r"[\s().-]")
_USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMessage:
    """A request to send that passed every check."""

    to: str
    template: Template
    code: str | None = field(repr=False)
    reference: str | None


def check_message(
    body: dict[str, object], *, account: WhatsAppAccount, templates: TemplateStore
) -> TemplateMessage:
    """Check a send request in Meta's order."""
    if body.get("messaging_product") != "whatsapp":
        raise errors.missing_parameter("messaging_product")
    if body.get("recipient_type", "individual") != "individual":
        raise errors.invalid_parameter("Parameter 'recipient_type' is not valid.")
    to = _check_recipient(body.get("to"), account=account)
    if body.get("type", "text") != "template":
        # Free text needs a message from the person within 24 hours, and simulated handsets never write.
        raise errors.graph_error(131047)
    reference = body.get("biz_opaque_callback_data")
    if reference is not None and (not isinstance(reference, str) or len(reference) > REFERENCE_MAX_LENGTH):
        raise errors.invalid_parameter("Parameter 'biz_opaque_callback_data' is not valid.")
    asked = body.get("template")
    if not isinstance(asked, dict):
        raise errors.missing_parameter("template")
    template = _check_template(asked, account=account, templates=templates)
    code = _check_components(asked.get("components", []), template=template)
    return TemplateMessage(to=to, template=template, code=code, reference=reference)


def _check_recipient(to: object, *, account: WhatsAppAccount) -> str:
    """E.164 of the recipient, whom Meta takes with or without plus, spaces, dashes and brackets."""
    if not to:
        raise errors.missing_parameter("to")
    if isinstance(to, str) and _USER_ID.fullmatch(to):
        raise errors.graph_error(131062)
    digits = _SEPARATORS.sub("", to).removeprefix("+") if isinstance(to, str) else ""
    if not is_e164(f"+{digits}"):
        raise errors.graph_error(131009, "Recipient phone number is not a valid phone number.")
    if digits == "".join(filter(str.isdigit, account.display_phone_number)):
        raise errors.graph_error(131021)
    return f"+{digits}"


def _check_template(
    asked: dict[str, object], *, account: WhatsAppAccount, templates: TemplateStore
) -> Template:
    name, language = asked.get("name"), asked.get("language")
    if not isinstance(name, str) or not name:
        raise errors.missing_parameter("template.name")
    code = language.get("code") if isinstance(language, dict) else None
    if not code:
        raise errors.missing_parameter("template.language.code")
    if not isinstance(code, str):
        raise errors.invalid_parameter("Parameter 'template.language.code' is not valid.")
    template = templates.get(account.business_account_id, name, code)
    if template is not None and template.status in UNSENDABLE:
        raise errors.graph_error(UNSENDABLE[template.status])
    if template is None or template.status != "APPROVED":
        raise errors.graph_error(132001, f"template name ({name}) does not exist in {code}")
    return template


def _check_components(components: object, *, template: Template) -> str | None:
    """The code that the components carry, the same in body and button; None for a template without one."""
    if not isinstance(components, list) or not all(isinstance(item, dict) for item in components):
        raise errors.invalid_parameter("Parameter 'template.components' is not valid.")
    bodies = [item for item in components if str(item.get("type", "")).lower() == "body"]
    buttons = [item for item in components if str(item.get("type", "")).lower() == "button"]
    if len(bodies) + len(buttons) != len(components) or len(bodies) > 1:
        raise errors.graph_error(132018, "components: only one body and one button are expected")
    in_body = _parameters(bodies)
    expected = 1 if template.takes_code else 0
    if len(in_body) != expected:
        counts = f"({len(in_body)}) does not match the expected number of params ({expected})"
        raise errors.graph_error(132000, f"body: number of localizable_params {counts}")
    if not template.takes_code:
        return None
    code = _text(in_body[0], where="body")
    if code != _button_code(buttons):
        raise errors.graph_error(132018, "buttons: the code of the button is not the code of the body")
    if len(code) > CODE_MAX_LENGTH:
        raise errors.graph_error(132005, f"body: the code is longer than {CODE_MAX_LENGTH} characters")
    return code


def _button_code(buttons: list[dict[str, object]]) -> str:
    if not buttons:
        raise errors.graph_error(131008, "buttons: Button at index 0 of type Url requires a parameter")
    button = buttons[0]
    if str(button.get("sub_type", "")).lower() != "url":
        raise errors.graph_error(132018, "buttons: Button at index 0 must be of type Url")
    if len(buttons) > 1 or str(button.get("index")) != "0":
        raise errors.graph_error(132018, "buttons: the template has one button, at index 0")
    parameters = _parameters(buttons)
    if len(parameters) != 1:
        counts = f"({len(parameters)}) does not match the expected number of params (1)"
        raise errors.graph_error(132000, f"buttons: number of localizable_params {counts}")
    return _text(parameters[0], where="button")


def _parameters(components: list[dict[str, object]]) -> list[object]:
    parameters = components[0].get("parameters", []) if components else []
    if not isinstance(parameters, list):
        raise errors.invalid_parameter("Parameter 'parameters' is not valid.")
    return parameters


def _text(parameter: object, *, where: str) -> str:
    if not isinstance(parameter, dict) or parameter.get("type") != "text":
        raise errors.graph_error(132018, f"{where}: the parameter must be of type text")
    text = parameter.get("text")
    if not isinstance(text, str) or not text:
        raise errors.graph_error(131008, f"{where}: Parameter of type text is missing text value")
    return text
