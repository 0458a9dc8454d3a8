"""A new project with all that a first login needs of it: domain, login methods and a client. All of it or nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _
from oauth2_provider.generators import generate_client_id

from channels import validation
from channels.provider import Problem
from oidc import client_secrets
from oidc.models import Client
from projects.models import Domain, LoginMethods, Project
from projects.naming import free_slug

# Where the applications under examples/ receive a login; the port of a loopback address is free.
_SERVER_EXAMPLES = ("http://localhost/oidc/callback/", "http://localhost/auth", "http://localhost/callback")
_PAGE_EXAMPLES = ("http://localhost/",)


@dataclass(frozen=True, kw_only=True)
class NewProject:
    """What the form asks. `domain` may be empty where the project answers on every host that no other claims."""

    name: str
    domain: str
    countries: Sequence[str]
    verify_phone_by: str
    is_confidential: bool
    redirect_uris: Sequence[str] = ()  # empty: those of the examples


@dataclass(frozen=True, kw_only=True)
class Created:
    """`secret` is shown once; empty for a public client. `unserved`: channels that no sender serves yet."""

    project: Project
    client: Client
    secret: str = field(repr=False)
    unserved: Sequence[str]


def becomes_default() -> bool:
    """The first project answers on every host."""
    return not Project.objects.filter(is_default=True).exists()


def problems(new: NewProject) -> list[Problem]:
    """Everything that is wrong with it, by field of NewProject."""
    project, domain, methods, client = _rows(new)
    wrong = [
        *_problems(project, {"name": "name"}),
        *_problems(methods, {"countries_allowed": "countries", "verify_phone_by": "verify_phone_by"}),
        *_problems(client, {"redirect_uris": "redirect_uris"}),
    ]
    if domain is not None:
        wrong += _problems(domain, {"host": "domain"})
    elif not project.is_default:
        wrong.append(("domain", _("Name one: another project answers on all other hosts.")))
    return wrong


def create(new: NewProject) -> Created:
    """Raises IntegrityError when another request has just taken the name or the domain: nothing is stored then."""
    project, domain, methods, client = _rows(new)
    with transaction.atomic():
        project.save()
        if domain is not None:
            domain.project = project
            domain.save()
        stored = LoginMethods.objects.get(project=project)
        stored.countries_allowed = methods.countries_allowed
        stored.verify_phone_by = methods.verify_phone_by
        stored.save()
        client.project = project
        client.save()
        secret = client_secrets.replace_secret(client) if new.is_confidential else ""
    unserved = validation.unserved_channels(project_id=project.id, verify_phone_by=new.verify_phone_by)
    return Created(project=project, client=client, secret=secret, unserved=unserved)


def _rows(new: NewProject) -> tuple[Project, Domain | None, LoginMethods, Client]:
    """Not stored yet, and apart from each other."""
    project = Project(name=new.name, slug=free_slug(new.name), is_default=becomes_default())
    domain = Domain(project=project, host=new.domain) if new.domain else None
    methods = LoginMethods(
        project=project, countries_allowed=list(new.countries), verify_phone_by=new.verify_phone_by
    )
    examples = _SERVER_EXAMPLES if new.is_confidential else _PAGE_EXAMPLES
    client = Client(
        project=project,
        name=new.name,
        client_id=generate_client_id(),
        client_type="confidential" if new.is_confidential else "public",
        redirect_uris="\n".join(new.redirect_uris or examples),
        post_logout_redirect_uris="" if new.redirect_uris else "http://localhost/",
    )
    return project, domain, methods, client


def _problems(row: Model, fields: Mapping[str, str]) -> Iterator[Problem]:
    """What the row's own rules say about these of its fields, by our names for them."""
    left_out = {field.name for field in row._meta.fields if field.name not in fields}
    try:
        row.full_clean(exclude=left_out)
    except ValidationError as error:
        for name, texts in error.message_dict.items():
            yield from ((fields.get(name, "name"), text) for text in texts)
