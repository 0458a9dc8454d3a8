"""Every class that our admin pages name has a style, or a script that looks for it.

unfold brings only the classes of Tailwind that its own pages use; another one would silently do nothing.
"""

import re
from pathlib import Path

import pytest
import unfold

ROOT = Path(__file__).resolve().parents[2]
THEIRS = Path(unfold.__path__[0]) / "static"
OURS = ROOT / "static" / "console"
PAGES = [*(ROOT / "templates" / "admin").rglob("*.html"), *(ROOT / "console").rglob("*.py")]
FILLED_IN = re.compile(
    r"\{%.*?%\}|[\w-]*\{\{.*?\}\}[\w-]*", re.DOTALL
)  # a name made of a value stands in no file


def classes(page: Path) -> set[str]:
    text = FILLED_IN.sub(" ", page.read_text(encoding="utf-8"))
    return {name for named in re.findall(r'\bclass="([^"]*)"', text) for name in named.split()}


@pytest.fixture(scope="module")
def styled() -> set[str]:
    sheets = [*THEIRS.rglob("*.css"), *OURS.glob("*.css")]
    text = "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)
    return {re.sub(r"\\(.)", r"\1", name) for name in re.findall(r"\.((?:\\.|[\w-])+)", text)}


@pytest.fixture(scope="module")
def looked_for() -> str:
    scripts = [*THEIRS.rglob("*.js"), *OURS.glob("*.js")]
    return "".join(script.read_text(encoding="utf-8") for script in scripts)


def test_every_class_has_a_style_or_a_script(styled: set[str], looked_for: str) -> None:
    wanted = {name: page.name for page in PAGES for name in classes(page)}
    assert len(wanted) > 100

    without = {
        name: page for name, page in wanted.items() if name not in styled and f".{name}" not in looked_for
    }

    assert without == {}


@pytest.mark.parametrize("name", ["wrap-anywhere", "lg:items-start", "rtl:rotate-180"])
def test_a_class_is_recognised_with_its_colon(styled: set[str], name: str) -> None:
    assert name in styled
    assert name.replace("-", "_") not in styled
