"""The pictures of the documentation, taken by the tests that walk through these pages.

Two machines never draw the same pixels, so what is compared is what a picture says: its words are kept beside the
tests, and a page that has other words fails until `make screenshots` has taken its picture again.
"""

import json
import os
import re
from pathlib import Path

from playwright.sync_api import Locator, Page

from tests.processes import ROOT

PICTURES = ROOT / "docs" / "images"
WORDS = Path(__file__).with_name("screenshots.json")
WRITING = "WRITE_SCREENSHOTS"  # of the environment


def words_of(text: str) -> list[str]:
    """Its lines without what differs from run to run: numbers, and how long something took."""
    lines = (" ".join(re.sub(r"[0-9]+", "0", line).split()) for line in text.splitlines())
    return [line for line in lines if line]


def take(target: Page | Locator, name: str) -> None:
    """A picture of a page or of a part of it. Fails when it says something else than the one in the documentation."""
    shown = target.locator("body") if isinstance(target, Page) else target
    words = words_of(shown.inner_text())
    kept: dict[str, list[str]] = json.loads(WORDS.read_text()) if WORDS.exists() else {}
    if os.environ.get(WRITING):
        PICTURES.mkdir(exist_ok=True)
        target.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
        WORDS.write_text(json.dumps(dict(sorted((kept | {name: words}).items())), indent=1) + "\n")
        return
    assert words == kept.get(name), f"{name}.png shows an older page: run `make screenshots` and look at it"
    assert (PICTURES / f"{name}.png").exists(), f"{name}.png is missing: run `make screenshots`"
