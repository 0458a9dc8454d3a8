"""Meta's checks of a new template. Each raises GraphError 100 and names the part that is wrong."""

import re

from simulator.meta.errors import GraphError, invalid_parameter, missing_parameter
from simulator.meta.template_texts import LANGUAGES
from simulator.meta.templates import DEFAULT_TTL_SECONDS, Draft
from simulator.server.routing import whole_number

OTP_TYPES = ("COPY_CODE", "ONE_TAP", "ZERO_TAP")
_NAME = re.compile(r"[a-z0-9_]{1,512}")
_PACKAGE = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII)
_APP_KEYS = ("package_name", "signature_hash")
_SIGNATURE_HASH = re.compile(r"[A-Za-z0-9+/=]{11}")


def check_draft(body: dict[str, object], *, button_texts: bool) -> Draft:
    for required in ("name", "category", "components"):
        if not body.get(required):
            raise missing_parameter(required)
    name, category = body["name"], str(body["category"]).upper()
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise invalid_parameter("name: lower-case letters, digits and _ only")
    if category != "AUTHENTICATION":
        raise invalid_parameter("category: this account creates AUTHENTICATION templates only")
    components = _check_components(body["components"])
    otp_type, button_text = _check_button(components["BUTTONS"], button_texts=button_texts)
    return Draft(
        name=name,
        category=category,
        advice=components["BODY"].get("add_security_recommendation") is True,
        minutes=_check_minutes(components.get("FOOTER")),
        button_text=button_text,
        otp_type=otp_type,
        ttl_seconds=_check_ttl(body.get("message_send_ttl_seconds", DEFAULT_TTL_SECONDS)),
    )


def check_language(language: object) -> str:
    if not isinstance(language, str) or language not in LANGUAGES:
        raise invalid_parameter("language: not a supported language code")
    return language


def minutes_in(text: str) -> int | None:
    """The lifetime as a query gives it; an empty text means none."""
    return _check_minutes({"code_expiration_minutes": whole_number(text) or 0}) if text else None


def already_exists() -> GraphError:
    return GraphError(
        status=400,
        code=100,
        subcode=2388024,
        message="(#100) Invalid parameter",
        details="There is already content in this language",
    )


def _check_components(components: object) -> dict[str, dict[str, object]]:
    """The components by type."""
    if not isinstance(components, list) or not all(isinstance(item, dict) for item in components):
        raise invalid_parameter("components: must be a list of objects")
    by_type = {str(item.get("type", "")).upper(): item for item in components}
    if set(by_type) - {"BODY", "FOOTER", "BUTTONS"} or not {"BODY", "BUTTONS"} <= set(by_type):
        raise invalid_parameter("components: BODY and BUTTONS are required, FOOTER is optional")
    if len(by_type) < len(components):
        raise invalid_parameter("components: one of each type at most")
    if "text" in by_type["BODY"]:
        raise invalid_parameter("components: the text of an authentication template is preset")
    return by_type


def _check_button(component: dict[str, object], *, button_texts: bool) -> tuple[str, str | None]:
    buttons = component.get("buttons")
    if not isinstance(buttons, list) or len(buttons) != 1 or not isinstance(buttons[0], dict):
        raise invalid_parameter("buttons: exactly one button is required")
    button = buttons[0]
    otp_type = str(button.get("otp_type", "")).upper()
    if str(button.get("type", "")).upper() != "OTP" or otp_type not in OTP_TYPES:
        raise invalid_parameter("buttons: type must be OTP and otp_type COPY_CODE, ONE_TAP or ZERO_TAP")
    if otp_type != "COPY_CODE":
        _check_apps(button.get("supported_apps"))
    if otp_type == "ZERO_TAP" and button.get("zero_tap_terms_accepted") is not True:
        raise invalid_parameter("buttons: zero_tap_terms_accepted must be true")
    for name in ("text", "autofill_text"):
        _check_button_text(name, button.get(name), allowed=button_texts)
    return otp_type, button.get("text")


def _check_button_text(name: str, text: object, *, allowed: bool) -> None:
    if text is None:
        return
    if not allowed:
        raise invalid_parameter(f"buttons: {name} is not supported when templates are made in bulk")
    if not isinstance(text, str) or not 0 < len(text) <= 25:
        raise invalid_parameter(f"buttons: {name} must have 1 to 25 characters")


def _check_apps(apps: object) -> None:
    """The Android apps that a one-tap or zero-tap button may open."""
    if not isinstance(apps, list) or not 1 <= len(apps) <= 5:
        raise invalid_parameter("buttons: 1 to 5 supported_apps are required for ONE_TAP and ZERO_TAP")
    for app in apps:
        package, signature = (str(app.get(key)) if isinstance(app, dict) else "" for key in _APP_KEYS)
        if len(package) > 224 or not _PACKAGE.fullmatch(package) or not _SIGNATURE_HASH.fullmatch(signature):
            raise invalid_parameter("buttons: supported_apps need a package_name and a signature_hash")


def _check_minutes(footer: dict[str, object] | None) -> int | None:
    minutes = None if footer is None else footer.get("code_expiration_minutes")
    if minutes is None:
        return None
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= 90:
        raise invalid_parameter("code_expiration_minutes: must be from 1 to 90")
    return minutes


def _check_ttl(value: object) -> int:
    if value == -1:
        return 30 * 24 * 3600
    if isinstance(value, bool) or not isinstance(value, int) or not 30 <= value <= 900:
        raise invalid_parameter("message_send_ttl_seconds: must be from 30 to 900")
    return value
