"""Prepares the documentation site: copies the pages to var/docs and makes their links work there. `make docs` runs it.

README.md becomes the front page, and files of the repository that a page links to come along as plain text.
Links to folders become plain text. The tests use this module's reading of links and anchors.
"""

import posixpath
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SITE_SOURCE = ROOT / "var" / "docs"
# Pages outside docs/ and their places on the site.
OTHER_PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "vulnerabilities.md",
}

_FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+).+?\1", re.DOTALL)
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.*?) *#*$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Link:
    page: str  # path in the repository
    target: str  # path in the repository, without the anchor
    anchor: str


def pages() -> list[str]:
    """Every page of the site, as a path in the repository."""
    return [
        *OTHER_PAGES,
        *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")),
    ]


def _blank(match: re.Match[str]) -> str:
    """The same length without content, so that positions stay."""
    return re.sub(r"[^\n]", " ", match[0])


def prose(text: str) -> str:
    """The page with its code blanked out; every position stays the same."""
    return _CODE.sub(_blank, _FENCE.sub(_blank, text))


def _matches(text: str) -> Iterator[re.Match[str]]:
    """Links in `text` that lead into the repository. Code is skipped, except in the words of a link."""
    for match in _LINK.finditer(_FENCE.sub(_blank, text)):
        inside_code = prose(text)[match.start(3) : match.end(3)] != match[3]
        if not inside_code and not _ELSEWHERE.match(match[3]):
            yield match


def _resolve(page: str, href: str) -> Link:
    path, _, anchor = href.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    return Link(page=page, target=target, anchor=anchor)


def links(page: str) -> list[Link]:
    return [_resolve(page, match[3]) for match in _matches((ROOT / page).read_text())]


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    text = _FENCE.sub(_blank, (ROOT / page).read_text())
    return {slug(heading) for heading in _HEADING.findall(text)}


def slug(heading: str) -> str:
    words = _LINK.sub(r"\2", heading).lower().replace("`", "")
    return re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")


def place(path: str) -> str:
    """Where a file of the repository stands on the site."""
    if path in OTHER_PAGES:
        return OTHER_PAGES[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"files/{path.lstrip('.')}.txt"


def _rewritten(page: str, needed: set[str]) -> str:
    """The page with links for the site. Adds the files that it links to to `needed`."""
    text = (ROOT / page).read_text()
    parts, end = [], 0
    for match in _matches(text):
        link = _resolve(page, match[3])
        parts.append(text[end : match.start()])
        end = match.end()
        if (ROOT / link.target).is_dir():
            parts.append(match[2])
            continue
        needed.add(link.target)
        href = posixpath.relpath(place(link.target), posixpath.dirname(place(page)) or ".")
        parts.append(f"{match[1]}[{match[2]}]({href}{'#' * bool(link.anchor)}{link.anchor})")
    return "".join(parts) + text[end:]


def build(target: Path) -> None:
    """Replace the contents of `target`."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / "docs", target)
    needed: set[str] = set()
    for page in pages():
        (target / place(page)).write_text(_rewritten(page, needed))
    for path in sorted(needed):
        if not (target / place(path)).exists():
            (target / place(path)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, target / place(path))


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else SITE_SOURCE)
