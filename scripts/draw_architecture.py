"""Draws docs/images/architecture.svg: the packages in the layers of the import contract in pyproject.toml.

`.venv/bin/python scripts/draw_architecture.py` writes the file; a test compares it with what this would draw.
"""

import textwrap
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "architecture.svg"

PURPOSES = {
    "authsvc": "Wiring: settings, URLs, middleware, Celery",
    "ops": "What operators run: commands, doctor, configuration file, probes, metrics",
    "console": "What staff see: the admin",
    "demo": "Sample shop and simulated phone, demo mode only",
    "login": "What people see: pages, sessions, account",
    "api": "What programs call: phone login over JSON",
    "webhooks": "What providers call: their reports",
    "stats": "Rollups that dashboard and exports read",
    "otp": "Challenges, deliveries, codes, fallback",
    "oidc": "The OpenID provider: clients, codes, tokens, keys",
    "abuse": "Limits before cost",
    "events": "What projects are told at their URLs",
    "channels": "Sending one message: senders, providers, breaker",
    "users": "People and staff; reading phone numbers",
    "projects": "Projects, login methods, configuration in memory",
    "audit": "Who did what",
    "core": "A leaf without a domain: ids, Redis, metrics, encrypted fields, HTTP",
    "simulator": "Plays Meta, Twilio and handsets over HTTP. Imports nothing above, and nothing imports it",
}

WIDTH = 960
LEFT = 60  # room for the arrow
GAP = 14
TOP = 20
LINE = 16
LETTER = 6.4  # a generous width of one letter at 12 px

_STYLE = """
  .ground { fill: #ffffff }
  .box { fill: #eef6f4; stroke: #0b6b4f }
  .beside { fill: none; stroke: #6b7280; stroke-dasharray: 5 4 }
  .name { fill: #0b3d2e; font: bold 15px ui-monospace, Menlo, Consolas, monospace }
  .purpose { fill: #1f2937; font: 12px system-ui, sans-serif }
  .arrow { stroke: #6b7280; stroke-width: 2; fill: none }
  .word { fill: #4b5563; font: 12px system-ui, sans-serif }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #14181d }
    .box { fill: #12302a; stroke: #34b38c }
    .name { fill: #a7f3d0 }
    .purpose { fill: #e5e7eb }
    .word { fill: #9ca3af }
  }
"""


def layers() -> list[list[str]]:
    """The rows of the picture, from the top down."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    rows: list[str] = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [[name.strip() for name in row.split("|")] for row in rows]


def _width(names: list[str]) -> float:
    return round((WIDTH - LEFT - GAP * len(names)) / len(names), 1)


def _lines(name: str, width: float) -> list[str]:
    return textwrap.wrap(PURPOSES[name], int((width - 24) / LETTER))


def _row(names: list[str], *, y: float, kind: str = "box") -> tuple[list[str], float]:
    """The boxes of one layer side by side, and their height."""
    width = _width(names)
    height = 38 + LINE * max(len(_lines(name, width)) for name in names)
    parts = []
    for number, name in enumerate(names):
        x = LEFT + number * (width + GAP)
        parts += [
            f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height}" rx="8"/>',
            f'<text class="name" x="{x + 12:g}" y="{y + 23:g}">{escape(name)}</text>',
        ]
        for below, line in enumerate(_lines(name, width)):
            parts.append(
                f'<text class="purpose" x="{x + 12:g}" y="{y + 42 + LINE * below:g}">{escape(line)}</text>'
            )
    return parts, height


def draw() -> str:
    boxes: list[str] = []
    y = float(TOP)
    for names in layers():
        parts, height = _row(names, y=y)
        boxes += parts
        y += height + GAP
    bottom = y - GAP
    parts, height = _row(["simulator"], y=y + GAP, kind="beside")
    total = y + GAP + height + TOP
    size = f'viewBox="0 0 {WIDTH} {total:g}" width="{WIDTH}" height="{total:g}"'
    middle = f"translate(26 {(TOP + bottom) / 2:g}) rotate(-90)"
    picture = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title">',
        '<title id="title">The packages of authsvc in layers; imports run downwards only</title>',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{total:g}"/>',
        f'<path class="arrow" d="M38 {TOP}V{bottom:g}m-6 -10l6 10l6 -10"/>',
        f'<text class="word" transform="{middle}" text-anchor="middle">imports</text>',
        *boxes,
        *parts,
        "</svg>",
    ]
    return "\n".join(picture) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(draw())
