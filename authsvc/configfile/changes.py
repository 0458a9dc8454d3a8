"""What an apply did, a line for each change."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from channels.models import Sender
from projects.models import LoginMethods, Project, TestNumber

type Row = Project | LoginMethods | Sender | TestNumber


@dataclass(kw_only=True)
class Report:
    """What was changed, and what is worth knowing, a line each."""

    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def changed(self, place: str, before: object, after: object) -> None:
        self.changes.append(f"{place}: {_show(before)} → {_show(after)}")


def set_values(
    row: Row, values: Mapping[str, object], label: str, names: Mapping[str, str], report: Report
) -> None:
    """Save the values that differ, a line each."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        report.changed(f"{label}.{names.get(name, name)}", getattr(row, name), value)
        setattr(row, name, value)
    if changed:
        row.save()


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(str(item) for item in value)}]"
    return str(value) if value != "" else '""'
