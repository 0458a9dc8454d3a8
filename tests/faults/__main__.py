"""`python -m tests.faults`: all scenarios, one table. `--times 3` repeats, `--write` puts it into docs/reliability.md."""

import argparse
import sys
import tempfile
from pathlib import Path

from bench import pages
from tests.faults import backlog, soak
from tests.faults.ledger import Row
from tests.faults.scenarios import SCENARIOS, timed
from tests.faults.stack import Stack, stack

_COLUMNS = (
    ("scenario", "broken"), ("started", "started"), ("delivered", "got a code"), ("lost", "lost"),
    ("logged_in", "logged in"), ("sms", "automatic SMS"), ("second_sms", "second SMS"), ("crashes", "crashed calls"), ("doubled", "sent twice"),
    ("explained", "of these by a crash in the call"), ("after_login", "after login"),
    ("slowest", "slowest code (s)"), ("quiet_after", "quiet after (s)"),
)  # fmt: skip


def table(rows: list[Row]) -> str:
    head = "| " + " | ".join(title for _, title in _COLUMNS) + " |"
    rule = "|---|" + "--:|" * (len(_COLUMNS) - 1)
    body = ["| " + " | ".join(str(getattr(row, name)) for name, _ in _COLUMNS) + " |" for row in rows]
    return "\n".join([head, rule, *body])


def scenarios(running: Stack, *, times: int, only: str) -> tuple[bool, str]:
    """Whether all runs were good, and the table of the last."""
    good, rows = True, list[Row]()
    for _ in range(times):
        rows = []
        for scenario in SCENARIOS:
            if only not in scenario.name:
                continue
            row, notes, seconds = timed(scenario, running)
            rows.append(row)
            good = good and row.is_good
            print(f"{'ok ' if row.is_good else 'BAD'} {seconds:5.1f} s  {row}", flush=True)
            for note in notes:
                print(f"      {note}", flush=True)
    return good, table(rows)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("what", nargs="?", choices=("table", "soak", "backlog"), default="table")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--per-second", type=float, default=0)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="authsvc-faults-") as folder, stack(Path(folder)) as running:
        if options.what == "soak":
            good, text = soak.measure(running, minutes=options.minutes, per_second=options.per_second)
        elif options.what == "backlog":
            result = backlog.run(running, rows=options.rows)
            good, text = not (result.unsent or result.sent_twice), result.line
        else:
            good, text = scenarios(running, times=options.times, only=options.only)
    print(text if good else f"{text}\nNOT GOOD")
    if options.write and good and not options.only:
        pages.write("docs/reliability.md", name=options.what, text=text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
