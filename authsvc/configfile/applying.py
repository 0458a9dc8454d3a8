"""Making the database match a file, in one transaction that saying no to costs nothing."""

from django.db import transaction

from authsvc.configfile import clients
from authsvc.configfile.changes import Report, set_values
from authsvc.configfile.wishes import METHOD_FIELDS, FileWish, ProjectWish, SenderWish
from channels import validation
from channels.models import Sender
from projects.models import Domain, LoginMethods, Project, TestNumber


class NotApplicable(Exception):
    """The file cannot be applied to this database; `problems` are lines with their paths."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class _OnlyLooking(Exception):
    """Ends the transaction of a check."""


def apply(wish: FileWish, *, check: bool = False) -> Report:
    """Change what differs; with `check` only say what would. Raises NotApplicable, having changed nothing."""
    report = Report()
    try:
        with transaction.atomic():
            _apply(wish, report)
            _leave_if(report, check=check)
    except _OnlyLooking:
        pass
    return report


def _leave_if(report: Report, *, check: bool) -> None:
    if report.problems:
        raise NotApplicable(report.problems)
    if check:
        raise _OnlyLooking


def _apply(wish: FileWish, report: Report) -> None:
    _apply_senders(None, wish.shared, "shared", report)
    listed = {project.slug for project in wish.projects}
    if any(project.is_default for project in wish.projects):
        # The mark moves before it is set, because the database allows one at a time.
        for other in Project.objects.filter(is_default=True).exclude(
            slug__in=[item.slug for item in wish.projects if item.is_default]
        ):
            set_values(
                other, {"is_default": False}, f"projects.{other.slug}", {"is_default": "default"}, report
            )
    for project in wish.projects:
        _apply_project(project, report)
    for slug in Project.objects.exclude(slug__in=listed).order_by("slug").values_list("slug", flat=True):
        report.notes.append(f"projects.{slug}: not in the file, left as it is")
    for item in wish.projects:
        _check_promises(item, report)


def _check_promises(item: ProjectWish, report: Report) -> None:
    project = Project.objects.filter(slug=item.slug).first()
    mode = str(item.methods["verify_phone_by"])
    for channel in validation.unserved_channels(
        project_id=project.id if project else None, verify_phone_by=mode
    ):
        report.problems.append(
            f"{item.path}.login_methods.verify_phone_by: {mode} promises {channel}, but no sender serves it: "
            f"give the project or shared a {channel} section"
        )


def _apply_project(wish: ProjectWish, report: Report) -> None:
    label = f"projects.{wish.slug}"
    project = Project.objects.filter(slug=wish.slug).first()
    plain: dict[str, object] = {"name": wish.name, "is_default": wish.is_default}
    if project is None:
        project = Project.objects.create(slug=wish.slug, **plain)
        LoginMethods.objects.create(project=project, **wish.methods)
        report.changes.append(f"{label}: created")
    else:
        set_values(project, plain, label, {"name": "name", "is_default": "default"}, report)
        methods, _ = LoginMethods.objects.get_or_create(project=project)
        names = {
            field: f"{section}.{key}"
            for section, fields in METHOD_FIELDS.items()
            for key, field in fields.items()
        }
        set_values(methods, wish.methods, label, names, report)
    _apply_domains(project, wish, label, report)
    _apply_test_numbers(project, wish, label, report)
    _apply_senders(project, wish.senders, label, report)
    clients.apply(project, wish.clients, label, report)


def _apply_domains(project: Project, wish: ProjectWish, label: str, report: Report) -> None:
    stored = {domain.host: domain for domain in project.domains.all()}
    for host in wish.domains:
        if host in stored:
            continue
        taken = Domain.objects.filter(host=host).select_related("project").first()
        if taken:
            report.problems.append(f"{wish.path}.domains: {host} belongs to the project {taken.project.slug}")
            continue
        Domain.objects.create(project=project, host=host)
        report.changes.append(f"{label}.domains: {host} added")
    for host, domain in stored.items():
        if host not in wish.domains:
            domain.delete()
            report.changes.append(f"{label}.domains: {host} removed")


def _apply_test_numbers(project: Project, wish: ProjectWish, label: str, report: Report) -> None:
    stored = {number.phone: number for number in project.test_numbers.all()}
    for item in wish.test_numbers:
        row = stored.pop(item.phone, None)
        if row is None and item.code is None:
            report.problems.append(f"{item.path}.code: is required, none is stored yet")
        elif row is None:
            TestNumber.objects.create(
                project=project, phone=item.phone, code=item.code or "", until=item.until
            )
            report.changes.append(f"{label}.test_numbers: {item.phone} added")
        else:
            place = f"{label}.test_numbers.{item.phone}"
            if item.code and item.code != row.code:
                row.code = item.code
                row.save()
                report.changes.append(f"{place}.code: changed")
            set_values(row, {"until": item.until}, place, {}, report)
    for phone, row in stored.items():
        row.delete()
        report.changes.append(f"{label}.test_numbers: {phone} removed")


def _apply_senders(
    project: Project | None, wishes: tuple[SenderWish, ...], label: str, report: Report
) -> None:
    stored = {row.channel: row for row in Sender.objects.filter(project=project, is_active=True)}
    for wish in wishes:
        row = stored.pop(wish.channel, None)
        if row and row.provider != wish.provider:
            # Another provider is another sender: what the old one sent keeps its name in the log.
            row.is_active = False
            row.save()
            row = None
        _apply_sender(project, row, wish, f"{label}.{wish.channel}", report)
    for channel, row in stored.items():
        row.is_active = False
        row.save()
        report.changes.append(f"{label}.{channel}: removed")


def _apply_sender(
    project: Project | None, row: Sender | None, wish: SenderWish, label: str, report: Report
) -> None:
    created = row is None
    if row is None:
        row = Sender(project=project, channel=wish.channel, provider=wish.provider)
        for name, value in {**wish.values, **wish.secrets}.items():
            setattr(row, name, value)
    rotated = (
        [] if created else [name for name, secret in wish.secrets.items() if getattr(row, name) != secret]
    )
    for name in rotated:
        setattr(row, name, wish.secrets[name])
        report.changes.append(f"{label}.{name}: changed")
    names = {
        "from_number": "from",
        "template_name": "template.name",
        "template_languages": "template.languages",
    }
    missing = [names.get(name, name) for name in validation.missing_fields(row) if name not in wish.values]
    if missing:
        report.problems.extend(f"{wish.path}.{name}: is required, none is stored yet" for name in missing)
        return
    if created or rotated:
        row.save()
    if created:
        report.changes.append(f"{label}: created")
    else:
        set_values(row, wish.values, label, names, report)
