"""What an apply did, a line for each change."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Model

from projects.routing import spelled


@dataclass(kw_only=True)
class Report:
    """What was changed, what is worth knowing, and what stands in the way: a line each."""

    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def changed(self, path: str, before: object, after: object) -> None:
        self.changes.append(f"{path}: {shown(before)} → {shown(after)}")


def set_values(
    row: Model, values: Mapping[str, object], path: str, keys: Mapping[str, str], report: Report
) -> None:
    """Save the values that differ, a line each. `keys`: how the file names a field, where that differs."""
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        report.changed(f"{path}.{keys.get(name, name)}", getattr(row, name), value)
        setattr(row, name, value)
    if changed:
        row.save()


def shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(spelled(item) if isinstance(item, dict) else str(item) for item in value)}]"
    return str(value) if value != "" else '""'
