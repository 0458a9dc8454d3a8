"""What `manage.py doctor` looks at: one function a subject, each gives findings and changes nothing."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass

from channels.checking import Finding, Level, fail


@dataclass(frozen=True, kw_only=True)
class Line:
    """A finding with the subject it belongs to."""

    subject: str
    level: Level
    text: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items()}


type Check = Callable[[], Iterable[Finding]]


def examine(checks: Iterable[tuple[str, Check]], *, skip: Collection[str] = ()) -> Iterable[Line]:
    """Run the checks one after the other. One that breaks is a finding of its own: the others still run."""
    for subject, check in checks:
        if subject in skip:
            continue
        for found in _run(check):
            yield Line(subject=subject, level=found.level, text=found.text, remedy=found.remedy)


def _run(check: Check) -> Iterable[Finding]:
    try:
        return list(check())
    except Exception as error:  # noqa: BLE001 # whatever it is, it is what the operator asked for
        # Not its text: it may hold an address with a password.
        return [fail(f"could not be looked at: {type(error).__name__}", "See to the findings above first.")]
