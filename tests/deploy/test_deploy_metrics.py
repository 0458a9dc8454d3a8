"""Dashboards and alerts name only what is counted, with labels that exist, and every alert has its page."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY, Counter, Histogram

from core import metrics
from ops.metrics import PresentState

ROOT = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"\bauthsvc_[a-z_]+")
# Read when asked for, not counted: their labels.
_NOW: dict[str, set[str]] = {
    "authsvc_due_deliveries": set(), "authsvc_due_age_seconds": set(), "authsvc_database_up": set(),
    "authsvc_sweep_age_seconds": set(), "authsvc_sender_state": {"sender", "channel", "state"},
    "authsvc_sender_alert": {"sender", "channel", "reason"},
}  # fmt: skip


def known() -> dict[str, set[str]]:
    """Every name that a query may use, with its labels."""
    found = dict(_NOW)
    for item in vars(metrics).values():
        name, labels = getattr(item, "_name", None), set(getattr(item, "_labelnames", ()))
        if isinstance(item, Counter):
            found[f"{name}_total"] = labels
        elif isinstance(item, Histogram):
            found |= {f"{name}_bucket": labels | {"le"}, f"{name}_count": labels, f"{name}_sum": labels}
    return found


def dashboard_queries() -> Iterator[str]:
    board = json.loads((ROOT / "deploy" / "grafana" / "authsvc.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def alerts() -> list[dict[str, Any]]:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())
    return [rule for group in rules["groups"] for rule in group["rules"]]


QUERIES = [*dashboard_queries(), *(rule["expr"] for rule in alerts())]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_names_only_what_is_counted(query: str) -> None:
    names = [name for name in _NAME.findall(query) if name != "authsvc_web"]

    assert names or 'job="authsvc-web"' in query
    assert set(names) <= set(known())


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_uses_only_labels_that_exist(query: str) -> None:
    names = set(_NAME.findall(query)) & set(known())
    labels = set().union(*(known()[name] for name in names)) | {"job", "instance"}
    used = set(re.findall(r'([a-z_]+)\s*(?:=~|!=|!~|=)\s*"', query))
    used |= {word.strip() for group in re.findall(r"by \(([^)]*)\)", query) for word in group.split(",")}

    assert used <= labels


def test_what_is_read_when_asked_for_is_listed_here() -> None:
    source = (ROOT / "ops" / "metrics.py").read_text()

    assert set(re.findall(r'"(authsvc_[a-z_]+)"', source)) == set(_NOW)
    assert PresentState().describe() == []


def test_every_alert_has_words_a_severity_and_a_remedy() -> None:
    runbook = (ROOT / "docs" / "operations.md").read_text()
    for rule in alerts():
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
        assert f"#### {rule['alert']}" in runbook, rule["alert"]


def test_panels_do_not_overlap_and_have_titles() -> None:
    board = json.loads((ROOT / "deploy" / "grafana" / "authsvc.json").read_text())
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_nothing_is_registered_twice() -> None:
    names = [family.name for family in REGISTRY.collect()]

    assert len(names) == len(set(names))


def test_every_metric_is_explained_and_nothing_else() -> None:
    text = (ROOT / "docs" / "observability.md").read_text()
    names = {re.sub(r"_(bucket|count|sum)$", "", name) for name in known()}

    assert set(_NAME.findall(text)) == names
