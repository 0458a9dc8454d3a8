"""A file's text → what it asks for, or all that is wrong with it. Touches no database."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug

from authsvc.configfile import clients
from authsvc.configfile.nodes import Node, Problems, load
from authsvc.configfile.wishes import (
    METHOD_FIELDS,
    SMS_FIELDS,
    WHATSAPP_FIELDS,
    FileWish,
    ProjectWish,
    SenderWish,
    TestNumberWish,
)
from channels.models import DEFAULT_TEMPLATE_NAME, SECRET_FIELDS
from projects import models
from projects.models import Authentication, Identifier, LoginMethods, VerifyPhoneBy
from users.phones import InvalidPhone, calling_codes, parse

_HOST = re.compile(r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")
_LANGUAGE = re.compile(r"^[a-z]{2,3}(_[A-Z]{2})?\Z")
_TEMPLATE = re.compile(r"^[a-z0-9_]{1,512}\Z")
_PROJECT_KEYS = (
    "slug", "name", "default", "domains", "login_methods", "otp", "fallback", "countries", "test_numbers", "whatsapp",
    "sms", "clients",
)  # fmt: skip


def read(text: str) -> tuple[FileWish, list[str]]:
    """What the file asks for, and what is wrong with it (then the wishes are not to be used)."""
    problems = Problems()
    document = load(text, problems)
    if problems.lines and document is None:
        return FileWish(shared=(), projects=()), problems.lines
    top = Node(document, "", ("shared", "projects"), problems)
    shared = top.child("shared", ("whatsapp", "sms"))
    wish = FileWish(
        shared=_senders(shared),
        projects=tuple(_project(node) for node in top.children("projects", _PROJECT_KEYS)),
    )
    _check_together(wish, problems)
    return wish, problems.lines


def _check_together(wish: FileWish, problems: Problems) -> None:
    slugs: set[str] = set()
    hosts: set[str] = set()
    client_ids: set[str] = set()
    defaults = 0
    for project in wish.projects:
        if project.slug and project.slug in slugs:
            problems.add(f"{project.path}.slug", "another project has this slug")
        slugs.add(project.slug)
        for number, host in enumerate(project.domains):
            if host in hosts:
                problems.add(f"{project.path}.domains[{number}]", "another project has this host")
            hosts.add(host)
        for client in project.clients:
            if client.client_id and client.client_id in client_ids:
                problems.add(f"{client.path}.client_id", "another client has this client_id")
            client_ids.add(client.client_id)
        defaults += project.is_default
        if project.is_default and defaults > 1:
            problems.add(f"{project.path}.default", "another project is the default already")


def _project(node: Node) -> ProjectWish:
    slug = node.text("slug", required=True, longest=50)
    try:
        if slug:
            validate_slug(slug)
    except ValidationError:
        node.problem("slug", "must be letters, digits, hyphens and underscores")
    return ProjectWish(
        path=node.path,
        slug=slug,
        name=node.text("name", required=True, longest=60),
        is_default=node.boolean("default", default=False),
        domains=tuple(node.texts("domains", _host_problem)),
        methods=_methods(node),
        test_numbers=_test_numbers(node),
        senders=_senders(node),
        clients=clients.read(node),
    )


def _host_problem(value: str) -> str | None:
    return None if _HOST.match(value) else "must be a host name in lower case, without port"


def _default(name: str) -> object:
    return getattr(LoginMethods(), name)


def _methods(node: Node) -> dict[str, object]:
    sections = {name: node.child(name, tuple(fields)) for name, fields in METHOD_FIELDS.items()}
    methods, otp, fallback = sections["login_methods"], sections["otp"], sections["fallback"]
    bounds = {
        "otp_length": models.OTP_LENGTH,
        "otp_valid_seconds": models.OTP_VALID_SECONDS,
        "resend_after_seconds": models.RESEND_AFTER_SECONDS,
        "max_attempts": models.MAX_ATTEMPTS,
    }
    values: dict[str, object] = {
        "identifier": methods.choice("identifier", Identifier.values, default=Identifier.MOBILE),
        "authentication": methods.choice(
            "authentication", Authentication.values, default=Authentication.PASSWORDLESS
        ),
        "verify_phone_by": methods.choice(
            "verify_phone_by", VerifyPhoneBy.values, default=VerifyPhoneBy.WHATSAPP_OR_SMS
        ),
        "fallback_enabled": fallback.boolean("enabled", default=bool(_default("fallback_enabled"))),
        "fallback_wait_seconds": fallback.integer(
            "wait_seconds", bounds=models.FALLBACK_WAIT_SECONDS, default=_whole("fallback_wait_seconds")
        ),
        **_countries(sections["countries"]),
    }
    for key, name in METHOD_FIELDS["otp"].items():
        values[name] = otp.integer(key, bounds=bounds[name], default=_whole(name))
    return values


def _whole(name: str) -> int:
    value = _default(name)
    assert isinstance(value, int)  # noqa: S101 # the model's own default
    return value


def _country_problem(value: str) -> str | None:
    return (
        None
        if value in calling_codes()
        else "must be a country code such as HK (text in quotes: NO is not a word)"
    )


def _countries(node: Node) -> dict[str, object]:
    allowed: list[str] = []
    if "allowed" not in node:
        node.problem("allowed", "is required: a list of country codes, or the word all")
    elif node.raw("allowed") == "all":
        allowed = ["all"]
    else:
        allowed = node.texts("allowed", _country_problem)
    return {"countries_allowed": allowed, "countries_pinned": node.texts("pinned", _country_problem)}


def _test_numbers(node: Node) -> tuple[TestNumberWish, ...]:
    found: list[TestNumberWish] = []
    for item in node.children("test_numbers", ("phone", "code", "until")):
        typed, phone = item.text("phone", required=True), ""
        try:
            phone = parse(typed).e164 if typed else ""
        except InvalidPhone:
            item.problem("phone", "must be a mobile number in the form +15005550199")
        code = item.text("code") or None
        if code and not (code.isascii() and code.isdigit() and 6 <= len(code) <= 10):
            item.problem("code", "must have from 6 to 10 digits")
        if phone and phone in {other.phone for other in found}:
            item.problem("phone", "stands twice")
        found.append(TestNumberWish(path=item.path, phone=phone, code=code, until=item.day("until")))
    return tuple(found)


def _senders(node: Node) -> tuple[SenderWish, ...]:
    senders = []
    if "whatsapp" in node:
        senders.append(_whatsapp(node.child("whatsapp", (*WHATSAPP_FIELDS, "provider", "template"))))
    if "sms" in node:
        senders.append(_sms(node))
    return tuple(senders)


def _providers(*real: str) -> tuple[str, ...]:
    """Those that send nothing are for development."""
    return real if settings.PRODUCTION else (*real, "console", "memory")


def _whatsapp(node: Node) -> SenderWish:
    template = node.child("template", ("name", "languages"))
    provider = node.choice("provider", _providers("meta"), default="meta")
    name = template.text("name") or DEFAULT_TEMPLATE_NAME
    if not _TEMPLATE.match(name):
        template.problem("name", "must be lower-case letters, digits and underscores")
    languages = template.texts(
        "languages", lambda value: None if _LANGUAGE.match(value) else "must look like en or pt_BR"
    )
    texts = {field: node.text(key) for key, field in WHATSAPP_FIELDS.items()}
    values = {field: text for field, text in texts.items() if field not in SECRET_FIELDS}
    if provider == "meta":
        for field in ("phone_number_id", "business_account_id"):
            if not values[field].isascii() or not values[field].isdigit():
                node.problem(field, "must be the digits of an id, in quotes")
        if not languages:
            template.problem("languages", "is required: the languages in which the template is approved")
    return SenderWish(
        path=node.path,
        channel="whatsapp",
        provider=provider,
        values={**values, "template_name": name, "template_languages": languages},
        secrets=_secrets(texts),
    )


def _secrets(texts: dict[str, str]) -> dict[str, str]:
    return {field: text for field, text in texts.items() if field in SECRET_FIELDS and text}


def _sms(parent: Node) -> SenderWish:
    every_key = {key for fields in SMS_FIELDS.values() for key in fields}
    loose = parent.child("sms", {"provider", *every_key})
    provider = loose.choice("provider", _providers("twilio", "http"))
    fields = SMS_FIELDS.get(provider, {})
    for key in sorted(every_key - set(fields)):
        if key in loose:
            loose.problem(key, f"is not a key of {provider}")
    texts = {field: loose.text(key) for key, field in fields.items()}
    values = {field: text for field, text in texts.items() if field not in SECRET_FIELDS}
    if provider == "twilio":
        if not values["account_sid"].startswith("AC"):
            loose.problem("account_sid", "must begin with AC")
        if bool(values["from_number"]) == bool(values["messaging_service_sid"]):
            loose.problem("from", "give either from or messaging_service_sid")
    if provider == "http" and not _is_web_address(values["url"]):
        loose.problem("url", "must be an https address")
    return SenderWish(
        path=loose.path, channel="sms", provider=provider, values=values, secrets=_secrets(texts)
    )


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.fragment or parts.username or not host:
        return False
    local = host in ("localhost", "127.0.0.1", "::1")
    return parts.scheme == "https" or (parts.scheme == "http" and local and not settings.PRODUCTION)
