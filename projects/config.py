"""Projects as requests use them: immutable and in memory, so that a login costs no query for them."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property

import structlog
from django.db.models import Prefetch

from core.config_version import Cached
from core.fields import UnreadableSecret
from core.hosts import read_host
from projects import routing
from projects.models import LoginMethods, Project, TestNumber
from projects.routing import Route
from projects.rules import ALL, CHANNELS_OF

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class TestNumberConfig:
    __test__ = False

    code: str  # "": its key is gone, so no code is right
    until: date


@dataclass(frozen=True, kw_only=True)
class ProjectConfig:
    """One project and its login methods."""

    id: uuid.UUID
    slug: str
    name: str
    verify_phone_by: str
    otp_length: int
    otp_valid_seconds: int
    resend_after_seconds: int
    max_attempts: int
    fallback_enabled: bool
    fallback_wait_seconds: int
    countries_allowed: frozenset[str] | None  # None: all of them
    countries_pinned: tuple[str, ...]
    test_numbers: Mapping[str, TestNumberConfig]
    networks_allowed: frozenset[str] = frozenset()  # of NETWORKS; `all` does not include them
    routes: Mapping[str, Route] = field(default_factory=dict)  # of countries that differ from the usual one

    @property
    def channels(self) -> tuple[str, ...]:
        """Those of the mode, first choice first; a country may have its own (`route`)."""
        return CHANNELS_OF[self.verify_phone_by]

    @cached_property
    def usual_route(self) -> Route:
        return Route(
            channels=self.channels,
            falls_back=self.fallback_enabled and len(self.channels) > 1,
            wait_seconds=self.fallback_wait_seconds,
        )

    def route(self, country: str) -> Route:
        """How numbers of a country (ISO 3166; "" for a number without one) are reached."""
        return self.routes.get(country) or self.usual_route

    def allows_country(self, code: str) -> bool:
        return self.countries_allowed is None or code in self.countries_allowed


class Closed(StrEnum):
    """Why a project serves no requests at its hosts."""

    NOT_SET_UP = "not_set_up"
    ARCHIVED = "archived"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The project that serves a host name, or why its project is closed."""

    project: ProjectConfig | None
    closed: Closed | None = None
    ports: frozenset[int | None] = frozenset({None})  # None: no port
    # A domain of the project; False: no project has it, so the default project serves it.
    is_named: bool = True


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where a request arrived. `origin` is the issuer; `scheme` and `host` are the requested ones in canonical form.

    They differ only where AUTHSVC_PUBLIC_URL is used for a project without domains.
    """

    origin: str
    scheme: str
    host: str
    project: ProjectConfig | None  # None: no project serves this host
    closed: Closed | None  # why, when the host belongs to a project


@dataclass(frozen=True, kw_only=True)
class Projects:
    """`by_id` holds the projects that are open. `sites` caches results of `projects.origin` for this version."""

    by_name: Mapping[str, Claim]
    by_id: Mapping[uuid.UUID, ProjectConfig]
    default: ProjectConfig | None
    default_claim: Claim
    default_has_domains: bool
    sites: dict[tuple[str, str, str, bool], Site] = field(default_factory=dict, compare=False, repr=False)

    def claim_of(self, name: str) -> Claim:
        """The claim on a host name in canonical form (core.hosts)."""
        return self.by_name.get(name, self.default_claim)


def _load() -> Projects:
    rows = Project.objects.select_related("login_methods").prefetch_related("domains")
    try:
        return of_rows(rows.prefetch_related("test_numbers"))
    except UnreadableSecret:  # one code whose key is gone must not stop every page: each is read by itself
        each = TestNumber.objects.defer("code")
        return of_rows(rows.prefetch_related(Prefetch("test_numbers", each)))


def of_rows(rows: Iterable[Project]) -> Projects:
    """All projects there are, with their login methods, domains and test numbers."""
    by_id: dict[uuid.UUID, ProjectConfig] = {}
    by_name: dict[str, Claim] = {}
    default_claim, default_has_domains = Claim(project=None, is_named=False), False
    for project in rows:
        closed = _why_closed(project)
        value = None if closed else _value(project, project.login_methods)
        if value is not None:
            by_id[project.id] = value
        ports: dict[str, set[int | None]] = {}
        for domain in project.domains.all():
            host = read_host(domain.host)
            if host is not None:
                ports.setdefault(host.name, set()).add(host.port)
        for name, named in ports.items():
            by_name[name] = Claim(project=value, closed=closed, ports=frozenset(named))
        if project.is_default:
            default_claim = Claim(project=value, closed=closed, is_named=False)
            default_has_domains = bool(ports)
    return Projects(
        by_name=by_name,
        by_id=by_id,
        default=default_claim.project,
        default_claim=default_claim,
        default_has_domains=default_has_domains,
    )


def _why_closed(project: Project) -> Closed | None:
    if project.archived_at is not None:
        return Closed.ARCHIVED
    methods: LoginMethods | None = getattr(project, "login_methods", None)
    return Closed.NOT_SET_UP if methods is None or not methods.countries_allowed else None


def _value(project: Project, row: LoginMethods) -> ProjectConfig:
    # Rows of an older version may break the rule, and an expired code must not be sent (decision 0081).
    wait = row.fallback_wait_seconds
    wait = wait if wait < row.otp_valid_seconds else row.otp_valid_seconds // 2
    countries = [code for code in row.countries_allowed if code.isalpha() and code != ALL]
    return ProjectConfig(
        id=project.id,
        slug=project.slug,
        name=project.name,
        verify_phone_by=row.verify_phone_by,
        otp_length=row.otp_length,
        otp_valid_seconds=row.otp_valid_seconds,
        resend_after_seconds=row.resend_after_seconds,
        max_attempts=row.max_attempts,
        fallback_enabled=row.fallback_enabled,
        fallback_wait_seconds=wait,
        countries_allowed=None if ALL in row.countries_allowed else frozenset(countries),
        networks_allowed=frozenset(row.countries_allowed).difference(countries, [ALL]),
        countries_pinned=tuple(row.countries_pinned),
        routes=routing.read(
            row.routing,
            verify_phone_by=row.verify_phone_by,
            fallback_enabled=row.fallback_enabled,
            wait_seconds=wait,
            otp_valid_seconds=row.otp_valid_seconds,
        ),
        test_numbers={
            number.phone: TestNumberConfig(code=_code(number), until=number.until)
            for number in project.test_numbers.all()
        },
    )


def _code(number: TestNumber) -> str:
    """Without a readable code it stays a test number: as any other number it would receive paid messages."""
    try:
        return str(number.code)
    except UnreadableSecret:
        log.error("test_number.unreadable", test_number_id=number.pk)  # noqa: TRY400 # the cause is in the name
        return ""


projects: Cached[Projects] = Cached(_load)
