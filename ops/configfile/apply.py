"""Making the database match a file, in one transaction that leaves nothing behind when it is refused."""

from django.db import transaction

from channels import validation
from core.fields import UnreadableSecret
from ops.configfile import clients, senders
from ops.configfile.audited import changes_recorded
from ops.configfile.login_methods import METHOD_FIELDS
from ops.configfile.report import Report, set_values
from ops.configfile.schema import FileSpec, ProjectSpec, Refused
from projects import archiving, rules
from projects.models import Domain, LoginMethods, Project, TestNumber

_PROJECT_KEYS = {"is_default": "default"}
_METHOD_KEYS = {field: ".".join(place) for field, place in METHOD_FIELDS.items()}


def apply(spec: FileSpec, *, check: bool = False) -> Report:
    """Change what differs; with `check` only report what would. Raises Refused, having changed nothing."""
    report = Report()
    with transaction.atomic():
        with changes_recorded():
            _apply(spec, report)
        if report.problems:
            raise Refused(report.problems)
        if check:
            transaction.set_rollback(True)
    return report


def _apply(spec: FileSpec, report: Report) -> None:
    senders.apply(None, spec.shared.senders, "shared", "shared", report)
    _release_default_mark(spec, report)
    _release_hosts(spec, report)
    for number, project in enumerate(spec.projects):
        _apply_project(project, f"projects[{number}]", report)
    listed = [project.slug for project in spec.projects]
    for slug in Project.objects.exclude(slug__in=listed).order_by("slug").values_list("slug", flat=True):
        report.notes.append(f"projects.{slug}: not in the file, left as it is")
    for number, project in enumerate(spec.projects):
        _check_promises(project, f"projects[{number}]", report)


def _release_default_mark(spec: FileSpec, report: Report) -> None:
    """The mark goes before it is set elsewhere, because the database allows one at a time."""
    default = next((project.slug for project in spec.projects if project.default), None)
    if default:
        for row in Project.objects.filter(is_default=True).exclude(slug=default):
            set_values(row, {"is_default": False}, f"projects.{row.slug}", _PROJECT_KEYS, report)


def _release_hosts(spec: FileSpec, report: Report) -> None:
    """Before any is claimed: a host may move to a project that stands earlier in the file."""
    for project in spec.projects:
        rows = Domain.objects.filter(project__slug=project.slug).exclude(host__in=project.domains)
        for domain in rows.order_by("host"):
            domain.delete()
            report.changes.append(f"projects.{project.slug}.domains: {domain.host} removed")


def _check_promises(spec: ProjectSpec, place: str, report: Report) -> None:
    project = Project.objects.filter(slug=spec.slug).first()
    mode = spec.login_methods.verify_phone_by
    for channel in validation.unserved_channels(
        project_id=project.id if project else None, verify_phone_by=mode
    ):
        report.problems.append(
            f"{place}.login_methods.verify_phone_by: {mode} promises {channel}, but no sender serves it: "
            f"give the project or shared a {channel} section"
        )
    for number, problem in validation.route_problems(project.login_methods) if project else ():
        report.problems.append(f"{place}.routing[{number}].sender: {problem}")


# Projects. `place` is where the file has something, `path` names it in the lines of the report ---------


def _apply_project(spec: ProjectSpec, place: str, report: Report) -> None:
    path = f"projects.{spec.slug}"
    values = {"name": spec.name, "is_default": spec.default}
    project = Project.objects.filter(slug=spec.slug).first()
    if project is None:
        project = Project.objects.create(slug=spec.slug, **values)
        set_values(_methods(project), spec.methods, path, {}, Report())
        report.changes.append(f"{path}: created")
    else:
        if project.is_default and not spec.default:  # no other project of the file is the default
            report.problems.append(f"{place}.default: {rules.default_is_needed()}")
        set_values(project, values, path, _PROJECT_KEYS, report)
        set_values(_methods(project), spec.methods, path, _METHOD_KEYS, report)
    _apply_archived(project, spec, place, report)
    _apply_domains(project, spec, place, report)
    _apply_test_numbers(project, spec, place, report)
    senders.apply(project, spec.senders, place, path, report)
    clients.apply(project, spec.clients, place, report)


def _methods(project: Project) -> LoginMethods:
    return LoginMethods.objects.get_or_create(project=project)[0]


def _apply_archived(project: Project, spec: ProjectSpec, place: str, report: Report) -> None:
    is_archived = bool(project.archived_at)
    if spec.archived is None:
        if is_archived and spec.default:
            report.problems.append(f"{place}.default: {rules.archived_default()}")
        elif is_archived:
            report.notes.append(
                f"projects.{spec.slug}: is archived, and stays so until the file says archived: false"
            )
    elif spec.archived != is_archived:
        try:
            (archiving.archive if spec.archived else archiving.restore)(project)
        except archiving.NotPossible as error:
            report.problems.append(f"{place}.archived: {error}")
        else:
            report.changed(f"projects.{spec.slug}.archived", is_archived, spec.archived)


def _apply_domains(project: Project, spec: ProjectSpec, place: str, report: Report) -> None:
    stored = {domain.host for domain in project.domains.all()}
    for host in spec.domains:
        if host in stored:
            continue
        if owner := Domain.owner_elsewhere(host, except_id=project.pk):
            report.problems.append(f"{place}.domains: {host} belongs to the project {owner.slug}")
            continue
        Domain.objects.create(project=project, host=host)
        report.changes.append(f"projects.{spec.slug}.domains: {host} added")


def _apply_test_numbers(project: Project, spec: ProjectSpec, place: str, report: Report) -> None:
    path = f"projects.{spec.slug}.test_numbers"
    stored = {number.phone: number for number in project.test_numbers.defer("code")}
    for number, item in enumerate(spec.test_numbers):
        row = stored.pop(item.phone, None)
        known = _code(row) if row else ""
        if row and (item.code or known):
            if item.code and item.code != known:
                row.code = item.code
                row.save()
                report.changes.append(f"{path}.{item.phone}.code: changed")
            set_values(row, {"until": item.until}, f"{path}.{item.phone}", {}, report)
        elif item.code:
            TestNumber.objects.create(project=project, phone=item.phone, code=item.code, until=item.until)
            report.changes.append(f"{path}: {item.phone} added")
        else:
            report.problems.append(
                f"{place}.test_numbers[{number}].code: {validation.code_problem(item.code)}"
            )
    for phone, row in stored.items():
        row.delete()
        report.changes.append(f"{path}: {phone} removed")


def _code(row: TestNumber) -> str:
    """One whose key is gone counts as none: the file has to name it."""
    try:
        return str(row.code)
    except UnreadableSecret:
        return ""
