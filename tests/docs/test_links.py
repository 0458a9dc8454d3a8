"""Links and anchors of the documents lead somewhere, and the site that `make docs` builds from them is whole."""

from pathlib import Path

import pytest
import yaml

from scripts import docs_site
from tests.processes import ROOT


@pytest.mark.parametrize("page", docs_site.pages())
def test_links_lead_to_files_and_headings(page: str) -> None:
    dead = [
        f"{link.target}#{link.anchor}"
        for link in docs_site.links(page)
        if not (ROOT / link.target).exists()
        or (link.anchor and link.target.endswith(".md") and link.anchor not in docs_site.anchors(link.target))
    ]

    assert dead == []


def test_links_are_found_and_code_is_not_searched() -> None:
    text = "[a](x.md) `[b](y.md)` [`c`](z.md#d) [e](https://example.com)\n```sh\n[f](w.md)\n```\n![g](h.svg)"

    assert [match[3] for match in docs_site._matches(text)] == ["x.md", "z.md#d", "h.svg"]


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [("1. Commands", "1-commands"), ("`/healthz`, and more", "healthz-and-more"), ("[A](b.md) c", "a-c")],
)
def test_anchors_are_those_of_github(heading: str, anchor: str) -> None:
    assert docs_site.slug(heading) == anchor


def test_every_link_of_the_site_stays_within_it(tmp_path: Path) -> None:
    docs_site.build(tmp_path / "site")

    for page in (tmp_path / "site").rglob("*.md"):
        for match in docs_site._matches(page.read_text()):
            target = match[3].partition("#")[0]
            assert not target or (page.parent / target).is_file(), f"{page.name}: {match[3]}"


def _entries(nav: object) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    children = nav.values() if isinstance(nav, dict) else nav
    assert isinstance(children, list | type({}.values()))
    return [entry for child in children for entry in _entries(child)]


def test_every_page_has_its_place_in_the_menu() -> None:
    text = (ROOT / "mkdocs.yml").read_text()
    nav = yaml.safe_load(text[text.index("\nnav:\n") :])["nav"]
    places = {docs_site.place(page) for page in docs_site.pages()}

    assert set(_entries(nav)) == {place for place in places if not place.startswith("decisions/0")}
