"""The form of the configuration file. Key names are those of the file. Touches no database."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Self

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_slug
from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from channels import validation
from core.hosts import domain_entry, read_host
from oidc import policy, redirect_uris
from oidc.jwks import problem as jwks_problem
from oidc.models import Algorithm, client_id_problem
from ops.configfile import document, login_methods, section
from ops.configfile.login_methods import (
    METHOD_FIELDS,
    CountriesSection,
    FallbackSection,
    MethodsSection,
    OtpSection,
    Routes,
)
from ops.configfile.section import Section, Text, Unique, checked, mappings, one_of, refuse, text
from ops.configfile.senders import SenderSection, SmsSenders, WhatsappSenders
from projects import rules


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
    problems += [*_conflicts(content), *login_methods.broken_rules(mappings(content, "projects"))]
    if problems:
        raise Refused(problems)
    return spec


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
    algorithm: Annotated[str, one_of(Algorithm.values)] = ""  # keep what is stored

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
    whatsapp: WhatsappSenders = []
    sms: SmsSenders = []

    @property
    def senders(self) -> list[SenderSection]:
        """Those of a channel in the order in which they are tried."""
        return [*self.whatsapp, *self.sms]

    @model_validator(mode="after")
    def _one_sender_for_each_name(self) -> Self:
        names = [sender.name for sender in self.senders if sender.name]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two senders have the name {twice[0]}")
        return self


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
    routing: Routes = []
    test_numbers: list[TestNumberSpec] = []
    clients: list[ClientSpec] = []

    @property
    def methods(self) -> dict[str, object]:
        """Values of LoginMethods, by field."""
        values = {field: getattr(getattr(self, name), key) for field, (name, key) in METHOD_FIELDS.items()}
        return {**values, "routing": [route.stored for route in self.routing]}

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


def _conflicts(content: object) -> Iterator[str]:
    """What only one project or client may have."""
    owners: dict[tuple[str, object], str] = {}

    def is_taken(kind: str, value: object, owner: str) -> bool:
        return (
            isinstance(value, str | bool) and bool(value) and owners.setdefault((kind, value), owner) != owner
        )

    for path, project in mappings(content, "projects"):
        if is_taken("slug", project.get("slug"), path):
            yield f"{path}.slug: another project has this slug"
        if is_taken("default", project.get("default"), path):
            yield f"{path}.default: another project is the default already"
        domains = project.get("domains")
        for number, entry in enumerate(domains if isinstance(domains, list) else ()):
            host = read_host(entry) if isinstance(entry, str) else None
            if host and is_taken("host", host.name, path):
                yield f"{path}.domains[{number}]: another project has this host"
        for place, client in mappings(project, "clients"):
            if is_taken("client_id", client.get("client_id"), f"{path}.{place}"):
                yield f"{path}.{place}.client_id: another client has this client_id"
