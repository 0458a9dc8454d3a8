"""OpenID Connect clients of the configuration file: read, applied, written."""

from collections.abc import Callable, Mapping
from typing import Any

from authsvc.configfile.changes import Report
from authsvc.configfile.nodes import Node
from authsvc.configfile.wishes import CLIENT_FIELDS, ClientWish
from oidc import addresses, jwks, policy
from oidc.models import Algorithm, Client, client_id_problem
from oidc.secrets import hash_secret, matches
from projects.models import Project

_KEYS = ("client_id", "client_type", "client_secret", *CLIENT_FIELDS)
_LINES = ("redirect_uris", "post_logout_redirect_uris", "origins")
_LONGEST_NAME, _LONGEST_URI = 60, 500

# Reading --------------------------------------------------------------------------------------------


def read(project: Node) -> tuple[ClientWish, ...]:
    return tuple(_client(node) for node in project.children("clients", _KEYS))


def _client(node: Node) -> ClientWish:
    client_id = node.text("client_id", required=True, longest=100)
    if client_id and (problem := client_id_problem(client_id)):
        node.problem("client_id", problem)
    kind = node.choice("client_type", ("public", "confidential"))
    values: dict[str, object] = {
        "name": node.text("name", longest=_LONGEST_NAME),
        "redirect_uris": node.texts("redirect_uris", _none_if_right(addresses.redirect_problem)),
        "post_logout_redirect_uris": node.texts(
            "post_logout_redirect_uris", _none_if_right(addresses.redirect_problem)
        ),
        "origins": node.texts("origins", _none_if_right(addresses.origin_problem)),
        "first_party": node.boolean("first_party", default=True),
        "scopes": _scopes(node),
        "pkce_required": node.boolean("pkce_required", default=True),
        "backchannel_logout_uri": _callback(node),
        "jwks": _keys(node),
        "algorithm": node.choice("algorithm", Algorithm.values, default=Algorithm.RS256),
    }
    if not node.raw("redirect_uris"):
        node.problem("redirect_uris", "is required")
    secret = node.text("client_secret")
    if kind == "public":
        _check_public(node, values)
    return ClientWish(path=node.path, client_id=client_id, client_type=kind, secret=secret, values=values)


def _check_public(node: Node, values: Mapping[str, object]) -> None:
    for key in ("client_secret", "jwks"):
        if key in node:
            node.problem(key, "a public client has none")
    if not values["pkce_required"]:
        node.problem("pkce_required", "a public client needs PKCE")


def _none_if_right(check: Callable[[str], str]) -> Callable[[str], str | None]:
    return lambda value: check(value) or None


def _scopes(node: Node) -> list[str]:
    if "scopes" not in node:
        return list(policy.SCOPES)
    allowed = ", ".join(policy.SCOPES)
    found = node.texts(
        "scopes", lambda value: None if value in policy.SCOPES else f"must be one of {allowed}"
    )
    if problem := policy.scopes_problem(found):
        node.problem("scopes", problem)
    return policy.known(found)


def _callback(node: Node) -> str:
    found = node.text("backchannel_logout_uri", longest=_LONGEST_URI)
    if found and (problem := addresses.callback_problem(found)):
        node.problem("backchannel_logout_uri", problem)
    return found


def _keys(node: Node) -> object:
    found = node.raw("jwks")
    if found is not None and (problem := jwks.problem(found)):
        node.problem("jwks", problem)
    return found


# Applying -------------------------------------------------------------------------------------------


def apply(project: Project, wishes: tuple[ClientWish, ...], label: str, report: Report) -> None:
    """Clients that are no longer listed are switched off, never deleted: their tokens stop, their history stays."""
    stored = {row.client_id: row for row in project.clients.all()}
    for wish in wishes:
        _apply(project, stored.pop(wish.client_id, None), wish, f"{label}.clients.{wish.client_id}", report)
    for client_id, row in sorted(stored.items()):
        if row.is_active:
            row.is_active = False
            row.save()
            report.changes.append(f"{label}.clients.{client_id}: deactivated")


def _apply(project: Project, row: Client | None, wish: ClientWish, label: str, report: Report) -> None:
    problem = _refusal(row, wish)
    if problem:
        report.problems.append(f"{wish.path}.{problem}")
        return
    created = row is None
    lines = Report()
    if row is None:
        row = Client(project=project, client_id=wish.client_id, client_type=wish.client_type)
    for key, after in wish.values.items():
        before = _value(row, key)
        if before == after:
            continue
        if key == "jwks":
            lines.changes.append(f"{label}.jwks: changed")
        else:
            lines.changed(f"{label}.{key}", before, after)
        setattr(row, CLIENT_FIELDS[key], "\n".join(_listed(after)) if key in _LINES else after)
    if wish.secret and not matches(wish.secret, row.client_secret):
        row.client_secret = hash_secret(wish.secret)
        lines.changes.append(f"{label}.client_secret: changed")
    if not row.is_active:
        row.is_active = True
        lines.changes.append(f"{label}: activated")
    if created:
        lines.changes = [f"{label}: created"]
    if lines.changes:
        row.save()
    report.changes.extend(lines.changes)


def _refusal(row: Client | None, wish: ClientWish) -> str:
    """Why the database cannot become what the file says: the key and the reason, or nothing."""
    if row is None:
        owner = Project.objects.filter(clients__client_id=wish.client_id).first()
        if owner:
            return f"client_id: {wish.client_id} belongs to the project {owner.slug}"
    elif row.client_type != wish.client_type:
        return f"client_type: is {row.client_type} and cannot change, choose another client_id"
    stored = row.client_secret if row else ""
    if wish.client_type == "confidential" and not (wish.values["jwks"] or wish.secret or stored):
        return "client_secret: is required, none is stored yet"
    return ""


def _value(row: Client, key: str) -> object:
    """As the file writes it."""
    value = getattr(row, CLIENT_FIELDS[key])
    if key in _LINES:
        return str(value).split()
    if key == "scopes":
        return policy.known(value)
    return str(value) if isinstance(value, str) else value


def _listed(value: object) -> list[str]:
    assert isinstance(value, list)  # noqa: S101 # read so
    return value


# Writing --------------------------------------------------------------------------------------------


def export(project: Project) -> list[dict[str, Any]]:
    """Those that are active, without secrets; what is the default is left out."""
    found, default = [], Client()
    for row in project.clients.filter(is_active=True).order_by("client_id"):
        entry: dict[str, Any] = {"client_id": row.client_id, "client_type": row.client_type}
        entry |= {key: value for key in CLIENT_FIELDS if (value := _value(row, key)) != _value(default, key)}
        found.append(entry)
    return found
