"""The control API's calls about provider accounts: adding them, their templates, their events, their webhook."""

from collections.abc import Collection, Mapping
from typing import Any

from simulator.accounts import TWILIO_TEXT_KEYS, WHATSAPP_TEXT_KEYS, TwilioAccount, WhatsAppAccount
from simulator.meta import handshake, webhooks
from simulator.meta.templates import STATUSES, Template
from simulator.server.inputs import check_keys, read_choice, read_seconds, read_text
from simulator.server.routing import BadRequest, NotFound, Request, Response, json_response
from simulator.server.simulator import Simulator
from simulator.server.state import Facts, SmsPrice

# Meta's webhook fields that are about an account, not about one message.
_EVENT_FIELDS = (
    "account_alerts", "account_review_update", "account_update", "message_template_quality_update",
    "message_template_status_update", "phone_number_name_update", "phone_number_quality_update",
    "template_category_update",
)  # fmt: skip
_FACTS = {
    "number": (
        "code_verification_status", "health_status", "name_status", "quality_rating", "status", "throughput",
        "whatsapp_business_manager_messaging_limit",
    ),
    "token": ("data_access_expires_at", "expires_at", "scopes"),
    "sms_price": ("after_seconds", "amount", "unit"),
}  # fmt: skip
_WHATSAPP_REQUIRED = ("phone_number_id", "business_account_id", "access_token", "app_secret")
_TWILIO_REQUIRED = ("account_sid", "auth_token")


def add_accounts(simulator: Simulator, request: Request) -> Response:
    """Add accounts, all or none; nothing of them is ever given back."""
    body = request.json_object()
    check_keys(body, ("twilio", "webhook_url", "whatsapp"))
    whatsapp = [_read_whatsapp(item, path) for path, item in _objects(body, "whatsapp")]
    twilio = [
        TwilioAccount(**_read_texts(item, path, TWILIO_TEXT_KEYS, required=_TWILIO_REQUIRED))
        for path, item in _objects(body, "twilio")
    ]
    if "webhook_url" in body:
        simulator.reporter.webhook_url = read_text(body["webhook_url"], "webhook_url")
    for account in whatsapp:
        simulator.state.accounts = simulator.state.accounts.with_whatsapp(account)
        simulator.templates.add_account(account)
    for owner in twilio:
        simulator.state.accounts = simulator.state.accounts.with_twilio(owner)
    return Response(status=204)


def perform_handshake(simulator: Simulator, request: Request) -> Response:
    """Meta's verification of our webhook address, as when it is entered in the dashboard."""
    body = request.json_object() if request.body else {}
    token = body.get("verify_token", simulator.state.accounts.whatsapp[0].verify_token)
    status, verified = handshake.perform(simulator.reporter.webhook_url, verify_token=str(token))
    return json_response({"status": status, "verified": verified})


def press_test_button(simulator: Simulator, _request: Request) -> Response:
    """The Test button of the app's dashboard: a signed sample that names no account of ours."""
    simulator.reporter.report_test(simulator.state.accounts.whatsapp[0])
    return Response(status=202)


def list_templates(simulator: Simulator, _request: Request) -> Response:
    """Every template of every account."""
    return json_response(
        [
            _template_json(account.business_account_id, template)
            for account in simulator.state.accounts.whatsapp
            for template in simulator.templates.all(account.business_account_id)
        ]
    )


def change_template(simulator: Simulator, request: Request) -> Response:
    """Put a template into a state, as Meta's reviewers and its quality rating do, and notify its account."""
    body = request.json_object()
    check_keys(body, ("status", "business_account_id", "report", "at"))
    status = read_choice(body.get("status"), STATUSES, "status")
    account, at = _account(simulator, body.get("business_account_id")), _read_time(body.get("at"))
    name, language = request.params["name"], request.params["language"]
    template = simulator.templates.change_status(account.business_account_id, name, language, status)
    if template is None:
        raise NotFound(f"no template {name} in {language}")
    if body.get("report", True):
        value = webhooks.template_status(template)
        simulator.reporter.report_account_event(account, "message_template_status_update", value, at=at)
    return json_response(_template_json(account.business_account_id, template))


def change_facts(simulator: Simulator, request: Request) -> Response:
    """What numbers, tokens, reviews, geo permissions and prices are like from now on; what is not named is well."""
    body = request.json_object()
    check_keys(body, ("closed_countries", "number", "review", "sms_price", "token"))
    number, token, price = (_checked_object(body, name, known) for name, known in _FACTS.items())
    closed = body.get("closed_countries", [])
    if not isinstance(closed, list) or not all(isinstance(code, str) for code in closed):
        raise BadRequest("closed_countries: must be a list of country codes")
    review = read_choice(body.get("review", "APPROVED"), STATUSES, "review")
    facts = Facts(
        number=number,
        token=token,
        review=review,
        closed_countries=tuple(closed),
        sms_price=_read_price(price),
    )
    simulator.state.facts = facts
    return Response(status=204)


def post_account_event(simulator: Simulator, request: Request) -> Response:
    """Report any other event of a business account, with the value that Meta would write."""
    body = request.json_object()
    check_keys(body, ("field", "value", "business_account_id", "at"))
    field, value = read_choice(body.get("field"), _EVENT_FIELDS, "field"), body.get("value")
    if not isinstance(value, dict):
        raise BadRequest("value: must be an object")
    account, at = _account(simulator, body.get("business_account_id")), _read_time(body.get("at"))
    return json_response(
        {"posted": simulator.reporter.report_account_event(account, field, value, at=at)}, status=202
    )


CALLS = (
    ("POST", "/test-button", press_test_button),
    ("PUT", "/accounts", add_accounts),
    ("POST", "/handshake", perform_handshake),
    ("GET", "/templates", list_templates),
    ("PUT", "/facts", change_facts),
    ("PUT", "/templates/{name}/{language}", change_template),
    ("POST", "/account-events", post_account_event),
)


def _account(simulator: Simulator, business_account_id: object) -> WhatsAppAccount:
    """The account with this id; the first one when none is named."""
    for account in simulator.state.accounts.whatsapp:
        if business_account_id in (None, account.business_account_id):
            return account
    raise NotFound("no such business account")


def _objects(body: Mapping[str, object], key: str) -> list[tuple[str, dict[str, object]]]:
    """The objects in a list, each with its path."""
    items = body.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadRequest(f"{key}: must be a list of objects")
    return [(f"{key}[{number}]", item) for number, item in enumerate(items)]


def _checked_object(body: Mapping[str, object], key: str, known: Collection[str]) -> dict[str, object]:
    value = body.get(key, {})
    if not isinstance(value, dict):
        raise BadRequest(f"{key}: must be an object")
    check_keys(value, known, path=f"{key}.")
    if not isinstance(value.get("scopes", []), list):
        raise BadRequest(f"{key}.scopes: must be a list")
    return value


def _read_price(value: Mapping[str, object]) -> SmsPrice:
    """Amount and unit are given as they are, odd ones too; null: not known."""
    changes: dict[str, Any] = dict(value)
    for name in ("amount", "unit"):
        if changes.get(name) is not None:
            read_text(changes[name], f"sms_price.{name}")
    if "after_seconds" in changes:
        changes["after_seconds"] = read_seconds(changes["after_seconds"], "sms_price.after_seconds")
    return SmsPrice(**changes)


def _read_whatsapp(item: dict[str, object], path: str) -> WhatsAppAccount:
    texts = {key: value for key, value in item.items() if key != "languages"}
    values: dict[str, Any] = {**_read_texts(texts, path, WHATSAPP_TEXT_KEYS, required=_WHATSAPP_REQUIRED)}
    languages = item.get("languages")
    if isinstance(languages, list) and all(isinstance(code, str) for code in languages):
        values["languages"] = tuple(languages)
    elif languages is not None:
        raise BadRequest(f"{path}.languages: must be a list of language codes")
    return WhatsAppAccount(**values)


def _read_texts(
    item: Mapping[str, object], path: str, keys: Mapping[str, str], *, required: Collection[str]
) -> dict[str, str]:
    for key in required:
        if key not in item:
            raise BadRequest(f"{path}.{key}: is required")
    check_keys(item, keys, path=f"{path}.")
    return {keys[key]: read_text(value, f"{path}.{key}") for key, value in item.items()}


def _read_time(value: object) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise BadRequest("at: must be Unix seconds")
    return value


def _template_json(business_account_id: str, template: Template) -> dict[str, object]:
    shown = {name: getattr(template, name) for name in ("name", "language", "status", "category")}
    return {"business_account_id": business_account_id, **shown}
