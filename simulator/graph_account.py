"""Meta's account calls: phone numbers, templates, subscriptions and the token's own details."""

import base64
import binascii
import json
from dataclasses import dataclass
from urllib.parse import urlencode

from simulator import errors
from simulator.accounts import WhatsAppAccount
from simulator.core import Simulator
from simulator.errors import graph_response
from simulator.templates import Template, already_exists, check_language, read_draft
from simulator.texts import wording
from simulator.web import BadRequest, Request, Response

APP_ID = "770012345678901"
APP_NAME = "Simulated app"
PAGE_SIZE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphCall:
    """An authenticated Graph request."""

    request: Request
    account: WhatsAppAccount
    version: str

    def json_body(self) -> dict[str, object]:
        """The body as a JSON object. Raises GraphError 100."""
        try:
            return self.request.json_object()
        except BadRequest as error:
            raise errors.invalid_parameter(f"The request body is not valid: {error}") from error


def phone_number(_simulator: Simulator, call: GraphCall) -> Response:
    wanted = call.request.params["object"]
    if wanted == call.account.business_account_id:
        return graph_response({"id": wanted, "name": call.account.verified_name}, version=call.version)
    if wanted != call.account.phone_number_id:
        raise errors.unknown_object(wanted)
    default = "display_phone_number,verified_name,quality_rating,code_verification_status"
    fields = call.request.query.get("fields", default).split(",")
    return graph_response(_selected(_phone_number(call.account), fields), version=call.version)


def phone_numbers(simulator: Simulator, call: GraphCall) -> Response:
    business_account_id = _business_account(call)
    numbers = [
        _phone_number(account)
        for account in simulator.state.accounts.whatsapp
        if account.business_account_id == business_account_id
    ]
    return graph_response({"data": numbers, "paging": {"cursors": {}}}, version=call.version)


def list_templates(simulator: Simulator, call: GraphCall) -> Response:
    query = call.request.query
    found = [item for item in simulator.templates.all(_business_account(call)) if _fits(item, call.request)]
    start, limit = _offset(query.get("after")), _limit(query.get("limit"))
    page = found[start : start + limit]
    fields = query["fields"].split(",") if "fields" in query else None
    data = [_selected(item.as_json(), fields) if fields else item.as_json() for item in page]
    paging: dict[str, object] = {}
    if page:
        paging["cursors"] = {"before": _cursor(start), "after": _cursor(start + len(page))}
    if start + limit < len(found):
        host = call.request.headers.get("host", "localhost")
        following = urlencode({**query, "after": _cursor(start + limit)})
        paging["next"] = f"http://{host}{call.request.path}?{following}"
    return graph_response({"data": data, "paging": paging}, version=call.version)


def create_template(simulator: Simulator, call: GraphCall) -> Response:
    business_account_id, body = _business_account(call), call.json_body()
    draft = read_draft(body, button_texts=True)
    language = check_language(body.get("language"))
    if simulator.templates.find(business_account_id, draft.name, language):
        raise already_exists()
    template = simulator.templates.save(business_account_id, draft, language)
    answer = {"id": template.id, "status": template.status, "category": template.category}
    return graph_response(answer, version=call.version)


def upsert_templates(simulator: Simulator, call: GraphCall) -> Response:
    business_account_id, body = _business_account(call), call.json_body()
    draft = read_draft(body, button_texts=False)
    languages = body.get("languages")
    if not isinstance(languages, list) or not languages:
        raise errors.missing_parameter("languages")
    checked = [check_language(language) for language in languages]
    saved = [simulator.templates.save(business_account_id, draft, language) for language in checked]
    data = [{"id": item.id, "status": item.status, "language": item.language} for item in saved]
    return graph_response({"data": data}, version=call.version)


def preview_templates(_simulator: Simulator, call: GraphCall) -> Response:
    _business_account(call)
    query = call.request.query
    if query.get("category", "").upper() != "AUTHENTICATION":
        raise errors.invalid_parameter("category: must be AUTHENTICATION")
    minutes = query.get("code_expiration_minutes", "")
    if minutes and not (minutes.isdigit() and 1 <= int(minutes) <= 90):
        raise errors.invalid_parameter("code_expiration_minutes: must be from 1 to 90")
    # The page's syntax says `language`, its example `languages`.
    wanted = query.get("languages", query.get("language", "en_US")).split(",")
    data = []
    for language in (check_language(code) for code in wanted):
        words = wording(language)
        template = Template(
            id="0",
            name="preview",
            language=language,
            advice=query.get("add_security_recommendation") == "true",
            minutes=int(minutes) if minutes else None,
        )
        item: dict[str, object] = {"body": template.body()}
        item["buttons"] = [{"autofill_text": words.autofill, "text": words.button}]
        if template.footer():
            item["footer"] = template.footer()
        data.append({**item, "language": language})
    return graph_response({"data": data}, version=call.version)


def subscribed_apps(simulator: Simulator, call: GraphCall) -> Response:
    link = f"https://www.facebook.com/games/?app_id={APP_ID}"
    app = {"whatsapp_business_api_data": {"id": APP_ID, "link": link, "name": APP_NAME}}
    subscribed = _business_account(call) not in simulator.state.unsubscribed
    return graph_response({"data": [app] if subscribed else []}, version=call.version)


def subscribe_app(simulator: Simulator, call: GraphCall) -> Response:
    simulator.state.unsubscribed.discard(_business_account(call))
    return graph_response({"success": True}, version=call.version)


def unsubscribe_app(simulator: Simulator, call: GraphCall) -> Response:
    simulator.state.unsubscribed.add(_business_account(call))
    return graph_response({"success": True}, version=call.version)


def debug_token(simulator: Simulator, call: GraphCall) -> Response:
    token = call.request.query.get("input_token")
    if not token:
        raise errors.missing_parameter("input_token")
    owned = [item for item in simulator.state.accounts.whatsapp if item.access_token == token]
    if not owned:
        error = {"code": 190, "message": "Invalid OAuth access token."}
        return graph_response(
            {"data": {"error": error, "is_valid": False, "scopes": []}}, version=call.version
        )
    targets = sorted({item.business_account_id for item in owned})
    scopes = ["business_management", "whatsapp_business_management", "whatsapp_business_messaging"]
    data = {
        "app_id": APP_ID,
        "type": "SYSTEM_USER",
        "application": APP_NAME,
        "expires_at": 0,
        "is_valid": True,
        "issued_at": 1792836000,
        "scopes": scopes,
        "granular_scopes": [{"scope": scope, "target_ids": targets} for scope in scopes[1:]],
        "user_id": "880023456789012",
    }
    return graph_response({"data": data}, version=call.version)


def _business_account(call: GraphCall) -> str:
    """The business account in the path. Raises GraphError 803 when the token does not see it."""
    wanted = call.request.params["object"]
    if wanted != call.account.business_account_id:
        raise errors.unknown_object(wanted)
    return wanted


def _phone_number(account: WhatsAppAccount) -> dict[str, object]:
    return {
        "display_phone_number": account.display_phone_number,
        "verified_name": account.verified_name,
        "quality_rating": "GREEN",
        "code_verification_status": "VERIFIED",
        "name_status": "APPROVED",
        "status": "CONNECTED",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "health_status": {"can_send_message": "AVAILABLE", "entities": []},
        "whatsapp_business_manager_messaging_limit": "TIER_2K",
        "id": account.phone_number_id,
    }


def _selected(value: dict[str, object], fields: list[str]) -> dict[str, object]:
    return {name: value[name] for name in [*fields, "id"] if name in value}


def _fits(template: Template, request: Request) -> bool:
    """Meta's filters; the one by name finds parts of names, too."""
    query = request.query
    return (
        query.get("name", "") in template.name
        and query.get("status", template.status).upper() == template.status
        and query.get("language", template.language) == template.language
        and query.get("category", template.category).upper() == template.category
    )


def _limit(value: str | None) -> int:
    if value is None:
        return PAGE_SIZE
    if not value.isdigit() or int(value) < 1:
        raise errors.invalid_parameter("limit: must be a positive number")
    return int(value)


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps(offset).encode()).decode()


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(cursor)))
    except (binascii.Error, ValueError) as error:
        raise errors.catalogued(131059, "The cursor is not valid.") from error
