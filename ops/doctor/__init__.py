"""The checks of `manage.py doctor`: one function for each subject. They yield findings and change nothing, except the
stored state of templates."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass

from channels.findings import Finding, Level, fail


@dataclass(frozen=True, kw_only=True)
class Line:
    """A finding of a check. `subject`: the sender, project or client; empty: the whole installation."""

    check: str
    subject: str
    status: Level
    detail: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items()}


type Check = Callable[[], Iterable[Finding]]


def examine(checks: Iterable[tuple[str, Check]], *, skip: Collection[str] = ()) -> Iterable[Line]:
    """Run the checks one after the other. An exception in one is a finding of its own; the others still run."""
    for name, check in checks:
        if name in skip:
            continue
        for finding in _run(check):
            yield Line(
                check=name,
                subject=finding.subject,
                status=finding.level,
                detail=finding.text,
                remedy=finding.remedy,
            )


def _run(check: Check) -> Iterable[Finding]:
    try:
        return list(check())
    except Exception as error:  # noqa: BLE001 # the operator wants to know of any failure
        # Without its text, which may contain a URL with a password.
        return [fail(f"Check failed: {type(error).__name__}", "Fix the findings above first.")]
