"""`python -m tests.faults`: all scenarios, one table. `--times 3` repeats, `--write` puts it into docs/reliability.md."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults import backlog, soak
from tests.faults.ledger import Row
from tests.faults.scenarios import SCENARIOS, timed
from tests.faults.stack import stack
from tests.processes import ROOT

_COLUMNS = (
    ("scenario", "broken"), ("started", "started"), ("delivered", "got a code"), ("lost", "lost"),
    ("logged_in", "logged in"), ("sms", "automatic SMS"), ("second_sms", "second SMS"), ("crashes", "crashed calls"), ("doubled", "sent twice"),
    ("explained", "of these by a crash in the call"), ("after_login", "after login"),
    ("slowest", "slowest code (s)"), ("quiet_after", "quiet after (s)"),
)  # fmt: skip
_BEGIN, _END = "<!-- table -->", "<!-- /table -->"


def table(rows: list[Row]) -> str:
    head = "| " + " | ".join(title for _, title in _COLUMNS) + " |"
    rule = "|---|" + "--:|" * (len(_COLUMNS) - 1)
    body = ["| " + " | ".join(str(getattr(row, name)) for name, _ in _COLUMNS) + " |" for row in rows]
    return "\n".join([head, rule, *body])


def write(text: str) -> None:
    page = ROOT / "docs" / "reliability.md"
    before, _, rest = page.read_text().partition(_BEGIN)
    after = rest.partition(_END)[2]
    page.write_text(f"{before}{_BEGIN}\n\n{text}\n\n{_END}{after}")


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
    good, rows = True, list[Row]()
    with tempfile.TemporaryDirectory(prefix="authsvc-faults-") as folder, stack(Path(folder)) as running:
        if options.what == "soak":
            return soak.main(running, minutes=options.minutes, per_second=options.per_second)
        if options.what == "backlog":
            found = backlog.run(running, rows=options.rows)
            print(found.line)
            return 1 if found.unsent or found.sent_twice else 0
        for _ in range(options.times):
            rows = []
            for scenario in SCENARIOS:
                if options.only not in scenario.name:
                    continue
                row, notes, seconds = timed(scenario, running)
                rows.append(row)
                good = good and row.is_good
                print(f"{'ok ' if row.is_good else 'BAD'} {seconds:5.1f} s  {row}", flush=True)
                for note in notes:
                    print(f"      {note}", flush=True)
    print(table(rows))
    if options.write and good and not options.only:
        write(table(rows))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
