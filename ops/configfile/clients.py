"""OpenID Connect clients of the configuration file: compared, applied, written. Their form: schema.ClientSpec."""

from collections.abc import Sequence
from typing import Any

from oidc import policy
from oidc.client_secrets import hash_secret, matches
from oidc.models import Client
from ops.configfile.report import Report
from ops.configfile.schema import ClientSpec
from projects.models import Project

# Fields of Client by their keys in the file, in the order in which they are written.
FIELDS = {
    key: {"origins": "allowed_origins", "first_party": "skip_authorization"}.get(key, key)
    for key in ClientSpec.model_fields
    if key not in ("client_id", "client_type", "client_secret")
}
# Lists that the model stores as lines of text.
_LINES = ("redirect_uris", "post_logout_redirect_uris", "origins")


def apply(project: Project, specs: Sequence[ClientSpec], place: str, report: Report) -> None:
    """Clients that are no longer listed are deactivated, never deleted: their tokens stop, their history stays."""
    path = f"projects.{project.slug}.clients"
    stored = {row.client_id: row for row in project.clients.all()}
    for number, spec in enumerate(specs):
        row = stored.pop(spec.client_id, None)
        if problem := _refusal(row, spec):
            report.problems.append(f"{place}.clients[{number}].{problem}")
        elif row:
            report.changes += _change(row, spec, f"{path}.{spec.client_id}")
        else:
            row = Client(project=project, client_id=spec.client_id, client_type=spec.client_type)
            _change(row, spec, "")  # it differs at least in its redirect URIs, so it is saved
            report.changes.append(f"{path}.{spec.client_id}: created")
    for client_id, row in sorted(stored.items()):
        if row.is_active:
            row.is_active = False
            row.save()
            report.changes.append(f"{path}.{client_id}: deactivated")


def _change(row: Client, spec: ClientSpec, path: str) -> list[str]:
    """Save what differs; a line for each change."""
    report = Report()
    for key, field in FIELDS.items():
        before, after = _value(row, key), getattr(spec, key)
        if before == after or (key == "algorithm" and not after):
            continue
        if key == "jwks":
            report.changes.append(f"{path}.jwks: changed")
        else:
            report.changed(f"{path}.{key}", before, after)
        setattr(row, field, "\n".join(after) if key in _LINES else after)
    if spec.client_secret and not matches(spec.client_secret, row.client_secret):
        row.client_secret = hash_secret(spec.client_secret)
        report.changes.append(f"{path}.client_secret: changed")
    if not row.is_active:
        row.is_active = True
        report.changes.append(f"{path}: activated")
    if report.changes:
        row.save()
    return report.changes


def _refusal(row: Client | None, spec: ClientSpec) -> str:
    """Why the database cannot become what the file says: the key and the reason, or ""."""
    if row is None:
        owner = Project.objects.filter(clients__client_id=spec.client_id).first()
        if owner:
            return f"client_id: {spec.client_id} belongs to the project {owner.slug}"
    elif row.client_type != spec.client_type:
        return f"client_type: is {row.client_type} and cannot change, choose another client_id"
    stored = row.client_secret if row else ""
    if spec.client_type == "confidential" and not (spec.jwks or spec.client_secret or stored):
        return "client_secret: is required, none is stored yet"
    return ""


def _value(row: Client, key: str) -> object:
    """As the file writes it."""
    value = getattr(row, FIELDS[key])
    if key in _LINES:
        return str(value).split()
    if key == "scopes":
        return policy.known_scopes(value)
    return str(value) if isinstance(value, str) else value


def export(project: Project) -> list[dict[str, Any]]:
    """Those that are active, without secrets. Defaults are left out but for the algorithm, which depends on where the
    file is applied."""
    entries, default = [], Client(algorithm="")
    for row in project.clients.filter(is_active=True).order_by("client_id"):
        entry: dict[str, Any] = {"client_id": row.client_id, "client_type": row.client_type}
        entry |= {key: value for key in FIELDS if (value := _value(row, key)) != _value(default, key)}
        entries.append(entry)
    return entries
