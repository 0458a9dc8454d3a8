"""The table of roles in docs/staff.md is the one that decides."""

from tests.processes import ROOT
from users.roles import TABLE, Role


def test_the_documented_table_is_the_one_that_decides() -> None:
    text = (ROOT / "docs" / "staff.md").read_text(encoding="utf-8")
    models = list(TABLE[Role.OWNER])
    lines = [f"| {model} | {' | '.join(TABLE[role].get(model, '–') for role in Role)} |" for model in models]

    assert "\n".join(lines) in text
    assert all(set(TABLE[role]) <= set(models) for role in Role)
