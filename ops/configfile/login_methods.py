"""Login methods in the configuration file: their sections, and the rules that compare them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from ops.configfile.section import Section, Text, Unique, between, checked, one_of
from projects import models, routing, rules
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


class RouteSection(Section):
    countries: Annotated[list[Annotated[str, checked(_country_problem)]], Field(min_length=1)]
    order: Annotated[list[Annotated[str, one_of(rules.BOTH)]], Unique, Field(min_length=1)]
    wait_seconds: Annotated[int, between(routing.WAIT_SECONDS)] | None = None
    sender: Text = ""

    @property
    def stored(self) -> dict[str, Any]:
        return routing.stored(**self.model_dump())


Routes = Annotated[list[RouteSection], Field(max_length=routing.MOST_ROUTES)]
_ROUTES: TypeAdapter[list[RouteSection]] = TypeAdapter(Routes)
_KINDS: dict[str, type[Section]] = {
    "login_methods": MethodsSection,
    "otp": OtpSection,
    "fallback": FallbackSection,
    "countries": CountriesSection,
}


# Rules. These read the raw document, so that they report beside every other problem ---------------------


def broken_rules(projects: Iterable[tuple[str, Mapping[Any, Any]]]) -> Iterator[str]:
    """The rules of the admin, as far as the sections that they compare are valid by themselves."""
    for path, project in projects:
        sections: dict[str, Section] = {}
        for name, kind in _KINDS.items():
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
        if {"login_methods", "otp", "countries"} <= sections.keys():
            for number, key, problem in routing.problems(values | {"routing": _routes(project)}):
                yield f"{path}.routing[{number}].{key}: {problem}"


def _routes(project: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """Empty when one of them is not valid by itself."""
    with suppress(ValidationError):
        return [route.stored for route in _ROUTES.validate_python(project.get("routing") or [])]
    return []
