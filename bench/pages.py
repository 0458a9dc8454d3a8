"""Sections of pages under docs/ that are written by what measures them, from `<!-- name -->` to `<!-- /name -->`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def replaced(page: str, *, name: str, text: str) -> str:
    """The page with `text` as its section `name`. Raises ValueError when it has no such section."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, marker, rest = page.partition(begin)
    _, end_marker, after = rest.partition(end)
    if not marker or not end_marker:
        raise ValueError(f"the page has no section {name}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def write(path: str, *, name: str, text: str) -> None:
    page = ROOT / path
    page.write_text(replaced(page.read_text(), name=name, text=text))
