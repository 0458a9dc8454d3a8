"""The form of the configuration file. Key names are those of the file. Touches no database."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Annotated, Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_slug
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, field_validator

from channels import validation
from core.hosts import domain_entry, read_host
from oidc import policy, redirect_uris
from oidc.jwks import problem as jwks_problem
from oidc.models import Algorithm, client_id_problem
from ops.configfile import document, section
from ops.configfile.section import Section, Text, Unique, between, checked, one_of, refuse, text
from ops.configfile.senders import SenderSection, SmsSection, WhatsappSection
from projects import models, rules
from projects.models import Authentication, Identifier, LoginMethods, VerifyPhoneBy
from projects.rules import NETWORKS
from users.phones import calling_codes

# Section and key of each field of LoginMethods, in the order in which they are written.
METHOD_FIELDS = {
    "identifier": ("login_methods", "identifier"),
    "authentication": ("login_methods", "authentication"),
    "verify_phone_by": ("login_methods", "verify_phone_by"),
    "otp_length": ("otp", "length"),
    "otp_valid_seconds": ("otp", "valid_seconds"),
    "resend_after_seconds": ("otp", "resend_after_seconds"),
    "max_attempts": ("otp", "max_attempts"),
    "fallback_enabled": ("fallback", "enabled"),
    "fallback_wait_seconds": ("fallback", "wait_seconds"),
    "countries_allowed": ("countries", "allowed"),
    "countries_pinned": ("countries", "pinned"),
}


class Refused(Exception):
    """The file cannot be applied; `problems` are lines with their paths."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read(source: str) -> "FileSpec":
    """What the file asks for. Raises Refused with everything that is wrong."""
    content, problems = document.load(source)
    if content is None:
        raise Refused(problems)
    try:
        spec = FileSpec.model_validate(content)
    except ValidationError as error:
        problems += section.lines(error)
    problems += [*_conflicts(content), *_broken_rules(content)]
    if problems:
        raise Refused(problems)
    return spec


# Login methods --------------------------------------------------------------------------------------


def _default(field: str) -> Any:  # noqa: ANN401 # the model's own
    return getattr(LoginMethods(), field)


def _country_problem(value: str) -> str:
    return "" if value in calling_codes() else "must be a country code such as HK"


def _allowed_problem(value: str) -> str:
    """Networks that belong to no country only by name: `all` does not include them."""
    if value in ("all", *NETWORKS):
        return ""
    if value.startswith("+"):
        return f"must be a country code, or one of {', '.join(NETWORKS)}"
    return _country_problem(value)


def _all_or_countries(values: list[str]) -> str:
    both = "all" in values and any(code in calling_codes() for code in values)
    return "must be countries or the word all, not both" if both else ""


class MethodsSection(Section):
    identifier: Annotated[str, one_of(Identifier.values)] = _default("identifier")
    authentication: Annotated[str, one_of(Authentication.values)] = _default("authentication")
    verify_phone_by: Annotated[str, one_of(VerifyPhoneBy.values)] = _default("verify_phone_by")


class OtpSection(Section):
    length: Annotated[int, between(models.OTP_LENGTH)] = _default("otp_length")
    valid_seconds: Annotated[int, between(models.OTP_VALID_SECONDS)] = _default("otp_valid_seconds")
    resend_after_seconds: Annotated[int, between(models.RESEND_AFTER_SECONDS)] = _default(
        "resend_after_seconds"
    )
    max_attempts: Annotated[int, between(models.MAX_ATTEMPTS)] = _default("max_attempts")


class FallbackSection(Section):
    enabled: bool = _default("fallback_enabled")
    wait_seconds: Annotated[int, between(models.FALLBACK_WAIT_SECONDS)] = _default("fallback_wait_seconds")


class CountriesSection(Section):
    allowed: Annotated[
        list[Annotated[str, checked(_allowed_problem)]],
        Unique,
        checked(_all_or_countries),
        BeforeValidator(lambda value: ["all"] if value == "all" else value),
    ]
    pinned: Annotated[list[Annotated[str, checked(_country_problem)]], Unique] = []


# Test numbers and clients ---------------------------------------------------------------------------


def _phone(typed: str) -> str:
    try:
        return validation.phone_of(typed)
    except DjangoValidationError as error:
        raise ValueError(str(error.message)) from error


class TestNumberSpec(Section):
    __test__ = False  # not a pytest class

    phone: Annotated[Text, AfterValidator(_phone)]
    code: Annotated[Text, checked(validation.code_problem)] = Field("", repr=False)  # "": keep what is stored
    until: date


Addresses = Annotated[list[Annotated[str, checked(redirect_uris.redirect_problem)]], Unique]


def _scope_problem(value: str) -> str:
    return "" if value in policy.SCOPES else f"must be one of {', '.join(policy.SCOPES)}"


class ClientSpec(Section):
    client_id: Annotated[str, text(100), checked(client_id_problem)]
    client_type: Annotated[str, one_of(("public", "confidential"))] = Field(None, validate_default=True)
    client_secret: Text = Field("", repr=False)  # "": keep what is stored
    name: Annotated[str, text(60)] = ""
    redirect_uris: Annotated[Addresses, Field(min_length=1)]
    post_logout_redirect_uris: Addresses = []
    origins: Annotated[list[Annotated[str, checked(redirect_uris.origin_problem)]], Unique] = []
    first_party: bool = True
    scopes: Annotated[
        list[Annotated[str, checked(_scope_problem)]],
        Unique,
        checked(policy.scopes_problem),
        AfterValidator(policy.known_scopes),
    ] = list(policy.SCOPES)
    pkce_required: bool = True
    may_introspect: bool = False
    backchannel_logout_uri: Annotated[Text, checked(redirect_uris.callback_problem)] = ""
    jwks: Annotated[Any, checked(jwks_problem)] = None
    algorithm: Annotated[str, one_of(Algorithm.values)] = str(Algorithm.RS256)

    @field_validator("client_secret", "jwks", "pkce_required", "may_introspect")
    @classmethod
    def _fits_the_type(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 # one of several fields
        if info.data.get("client_type") != "public":
            return value
        if info.field_name == "pkce_required" and not value:
            raise ValueError("a public client needs PKCE")
        if info.field_name == "may_introspect" and value:
            raise ValueError("a public client cannot authenticate, so it cannot introspect")
        if info.field_name in ("client_secret", "jwks"):
            raise ValueError("a public client has none")
        return value


# Projects -------------------------------------------------------------------------------------------


def _slug_problem(value: str) -> str:
    try:
        validate_slug(value)
    except DjangoValidationError:
        return "must be letters, digits, hyphens and underscores"
    return ""


def _domain_problem(value: str) -> str:
    return "" if domain_entry(value) else "must be a host name, with its port where that is not the usual one"


class SharedSpec(Section):
    whatsapp: WhatsappSection | None = None
    sms: SmsSection | None = None

    @property
    def senders(self) -> list[SenderSection]:
        return [sender for sender in (self.whatsapp, self.sms) if sender]


class ProjectSpec(SharedSpec):
    slug: Annotated[str, text(50), checked(_slug_problem)]
    name: Annotated[str, text(60)]
    default: bool = False
    archived: bool | None = None  # None: stays as it is
    domains: Annotated[
        list[Annotated[str, checked(_domain_problem), AfterValidator(domain_entry)]], Unique
    ] = []  # each in its one spelling
    login_methods: MethodsSection = MethodsSection()
    otp: OtpSection = OtpSection()
    fallback: FallbackSection = FallbackSection()
    countries: CountriesSection = Field({}, validate_default=True)  # never empty: `allowed` is required
    test_numbers: list[TestNumberSpec] = []
    clients: list[ClientSpec] = []

    @property
    def methods(self) -> dict[str, object]:
        """Values of LoginMethods, by field."""
        return {field: getattr(getattr(self, name), key) for field, (name, key) in METHOD_FIELDS.items()}

    @field_validator("archived")
    @classmethod
    def _default_stays_open(cls, archived: bool | None, info: ValidationInfo) -> bool | None:
        if archived and info.data.get("default"):
            raise ValueError(rules.archived_default())
        return archived

    @field_validator("test_numbers")
    @classmethod
    def _one_code_each(cls, numbers: list[TestNumberSpec]) -> list[TestNumberSpec]:
        phones = [item.phone for item in numbers]
        refuse(((n, "phone"), "duplicate value") for n, phone in enumerate(phones) if phone in phones[:n])
        return numbers


class FileSpec(Section):
    shared: SharedSpec = SharedSpec()
    projects: list[ProjectSpec] = []


# Across sections. These read the raw document, so that they report beside every other problem ----------


def _broken_rules(content: object) -> Iterator[str]:
    """The rules of the admin for login methods, as far as the sections that they compare are valid by themselves."""
    kinds: dict[str, type[Section]] = {
        "otp": OtpSection,
        "fallback": FallbackSection,
        "countries": CountriesSection,
    }
    for path, project in _mappings(content, "projects"):
        sections: dict[str, Section] = {}
        for name, kind in kinds.items():
            with suppress(ValidationError):
                sections[name] = kind.model_validate(project.get(name) or {})
        values = {
            field: getattr(sections[name], key) if name in sections else _default(field)
            for field, (name, key) in METHOD_FIELDS.items()
        }
        for field, problem in rules.login_methods_problems(values):
            place, measured_by = METHOD_FIELDS[field], METHOD_FIELDS[rules.MEASURED_BY[field]]
            if {place[0], measured_by[0]} <= sections.keys():
                yield f"{path}.{'.'.join(place)}: {problem}"


def _conflicts(content: object) -> Iterator[str]:
    """What only one project or client may have."""
    owners: dict[tuple[str, object], str] = {}

    def is_taken(kind: str, value: object, owner: str) -> bool:
        return (
            isinstance(value, str | bool) and bool(value) and owners.setdefault((kind, value), owner) != owner
        )

    for path, project in _mappings(content, "projects"):
        if is_taken("slug", project.get("slug"), path):
            yield f"{path}.slug: another project has this slug"
        if is_taken("default", project.get("default"), path):
            yield f"{path}.default: another project is the default already"
        domains = project.get("domains")
        for number, entry in enumerate(domains if isinstance(domains, list) else ()):
            host = read_host(entry) if isinstance(entry, str) else None
            if host and is_taken("host", host.name, path):
                yield f"{path}.domains[{number}]: another project has this host"
        for place, client in _mappings(project, "clients"):
            if is_taken("client_id", client.get("client_id"), f"{path}.{place}"):
                yield f"{path}.{place}.client_id: another client has this client_id"


def _mappings(parent: object, key: str) -> Iterator[tuple[str, dict[Any, Any]]]:
    items = parent.get(key) if isinstance(parent, dict) else None
    for number, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield f"{key}[{number}]", item
