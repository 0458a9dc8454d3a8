"""Meta's calls about templates: list, create, in bulk, one by its id, change, delete, preview."""

import base64
import json
from urllib.parse import urlencode

from simulator.meta import errors
from simulator.meta.graph import GraphCall, selected
from simulator.meta.template_checks import already_exists, check_draft, check_language, minutes_in
from simulator.meta.template_texts import texts_in
from simulator.meta.templates import Template
from simulator.server.routing import Request, Response, whole_number
from simulator.server.simulator import Simulator

PAGE_SIZE = 25


def list_templates(simulator: Simulator, call: GraphCall) -> Response:
    query = call.request.query
    every = simulator.templates.all(call.business_account_id())
    matching = [item for item in every if _matches(item, call.request)]
    start, limit = _offset(query.get("after")), _limit(query.get("limit"))
    page = matching[start : start + limit]
    fields = query["fields"].split(",") if "fields" in query else None
    paging: dict[str, object] = {}
    if page:
        paging["cursors"] = {"before": _cursor(start), "after": _cursor(start + len(page))}
    if start + limit < len(matching):
        paging["next"] = _next_page(call.request, start + limit)
    answer: dict[str, object] = {
        "data": [selected(item.as_json(), fields) for item in page],
        "paging": paging,
    }
    if "summary" in query:
        answer["summary"] = {
            "total_count": len(matching),
            "message_template_count": len(every),
            "message_template_limit": 6000,
            "are_translations_complete": False,
        }
    return call.answer(answer)


def create_template(simulator: Simulator, call: GraphCall) -> Response:
    business_account_id, body = call.business_account_id(), call.json_body()
    draft = check_draft(body, button_texts=True)
    language = check_language(body.get("language"))
    if simulator.templates.get(business_account_id, draft.name, language):
        raise already_exists()
    template = simulator.templates.save(
        business_account_id, draft, language, status=simulator.state.facts.review
    )
    answer = {"id": template.id, "status": template.status, "category": template.category}
    return call.answer(answer)


def upsert_templates(simulator: Simulator, call: GraphCall) -> Response:
    business_account_id, body = call.business_account_id(), call.json_body()
    draft = check_draft(body, button_texts=False)
    languages = body.get("languages")
    if not isinstance(languages, list) or not languages:
        raise errors.missing_parameter("languages")
    checked = [check_language(language) for language in languages]
    status = simulator.state.facts.review
    saved = [simulator.templates.save(business_account_id, draft, item, status=status) for item in checked]
    data = [
        {"id": item.id, "status": item.status, "language": item.language, "category": item.category}
        for item in saved
    ]
    return call.answer({"data": data})


def preview_templates(_simulator: Simulator, call: GraphCall) -> Response:
    call.business_account_id()
    query = call.request.query
    if query.get("category", "").upper() != "AUTHENTICATION":
        raise errors.invalid_parameter("category: must be AUTHENTICATION")
    minutes = minutes_in(query.get("code_expiration_minutes", ""))
    advice = query.get("add_security_recommendation") == "true"
    # The page's syntax says `language`, its example `languages`.
    languages = query.get("languages", query.get("language", "en_US")).split(",")
    templates = [
        Template(id="0", name="preview", language=check_language(code), advice=advice, minutes=minutes)
        for code in languages
    ]
    return call.answer({"data": [_preview(template) for template in templates]})


def _preview(template: Template) -> dict[str, object]:
    texts = texts_in(template.language)
    preview: dict[str, object] = {
        "body": template.body(),
        "buttons": [{"autofill_text": texts.autofill, "text": texts.button}],
        "language": template.language,
    }
    return preview if template.minutes is None else preview | {"footer": template.footer()}


def _by_id(simulator: Simulator, call: GraphCall) -> Template | None:
    templates = simulator.templates.all(call.account.business_account_id)
    return next((item for item in templates if item.id == call.object_id), None)


def get_template(simulator: Simulator, call: GraphCall) -> Response | None:
    """`GET /{template}`; None: the id is no template's."""
    template = _by_id(simulator, call)
    return None if template is None else call.answer_fields(template.as_json())


def change_template(simulator: Simulator, call: GraphCall) -> Response | None:
    """`POST /{template}` with new components, category or time to live; None: the id is no template's."""
    template = _by_id(simulator, call)
    if template is None:
        return None
    body = call.json_body()
    if body.get("category", template.category) != template.category and template.status == "APPROVED":
        raise errors.invalid_parameter("category: cannot be changed once a template is approved")
    draft = check_draft(template.as_body() | body | {"name": template.name}, button_texts=True)
    saved = simulator.templates.save(call.account.business_account_id, draft, template.language)
    answer = {"success": True, "id": saved.id, "name": saved.name, "category": saved.category}
    return call.answer(answer)


def delete_templates(simulator: Simulator, call: GraphCall) -> Response:
    """`DELETE /{business account}/message_templates?name=…`: all languages, or the one that `hsm_id` names."""
    account = call.business_account_id()
    name, template_id = call.request.query.get("name"), call.request.query.get("hsm_id")
    if not name:
        raise errors.missing_parameter("name")
    if not simulator.templates.delete(account, name, template_id):
        raise errors.GraphError(
            status=404,
            code=100,
            subcode=2593002,
            message="Invalid parameter",
            details="Message template not found",
        )
    return call.answer({"success": True})


def _matches(template: Template, request: Request) -> bool:
    """Meta's filters; the one by name matches parts of names, too."""
    query = request.query
    return (
        query.get("name", "") in template.name
        and query.get("status", template.status).upper() == template.status
        and query.get("language", template.language) == template.language
        and query.get("category", template.category).upper() == template.category
    )


def _limit(value: str | None) -> int:
    limit = PAGE_SIZE if value is None else whole_number(value)
    if not limit:
        raise errors.invalid_parameter("limit: must be a positive number")
    return limit


def _next_page(request: Request, start: int) -> str:
    host = request.headers.get("host", "localhost")
    return f"http://{host}{request.path}?{urlencode({**request.query, 'after': _cursor(start)})}"


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps(offset).encode()).decode()


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(cursor)))
    except ValueError as error:
        raise errors.graph_error(131059, "The cursor is not valid.") from error
