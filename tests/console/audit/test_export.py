"""The audit log as CSV: streamed, safe in a spreadsheet, itself recorded."""

import csv
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from audit.actors import Actor, acting
from audit.kinds import Kind
from audit.models import AuditEvent
from audit.record import Target, record
from console import audit as page
from console import csv_export
from projects.models import Project
from tests.statements import statements

EXPORT = "/admin/audit/auditevent/export/"


def exported(browser: Client, query: str = "") -> list[dict[str, str]]:
    answer: Any = browser.post(f"{EXPORT}?{query}")
    assert answer.status_code == 200, answer
    assert answer.streaming
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(text.removeprefix("\ufeff").splitlines()))


def test_every_event_is_a_line(root: Client, acme: Project) -> None:
    with acting(lambda: Actor(name="alice", address="203.0.113.7")):
        record(
            Kind.CHANGED,
            acme,
            before={"name": "Old", "is_default": False},
            after={"name": "Acme", "is_default": True},
        )

    (line,) = [row for row in exported(root) if row["action"] == "changed"]
    assert (line["who"], line["address"], line["object"], line["project"]) == (
        "alice",
        "203.0.113.7",
        "Acme",
        "Acme",
    )
    assert json.loads(line["before"]) == {"name": "Old", "is_default": False}
    assert json.loads(line["after"]) == {"name": "Acme", "is_default": True}
    assert line["time"].endswith("+00:00")


@pytest.mark.parametrize("query", ["at__gte=bogus", "at__lt=2020-13-01"])
def test_with_a_wrong_filter_nothing_is_exported(root: Client, acme: Project, query: str) -> None:
    answer = root.post(f"{EXPORT}?{query}", follow=True)

    assert "A filter is not valid: nothing was exported." in answer.content.decode()
    assert not AuditEvent.objects.filter(kind=Kind.EXPORTED).exists()


@pytest.mark.parametrize("name", ["kind", "outcome__exact", "at__gte", "project", "q"])
def test_a_nul_in_a_filter_is_refused(root: Client, acme: Project, name: str) -> None:
    """Neither a text nor the JSON of the event of an export can hold one."""
    assert root.post(f"{EXPORT}?{name}=a%00b").status_code == 400
    assert not AuditEvent.objects.filter(kind=Kind.EXPORTED).exists()


def test_what_was_asked_is_kept_in_a_readable_length(root: Client, acme: Project) -> None:
    exported(root, f"q={'a' * 5000}")

    assert AuditEvent.objects.get(kind=Kind.EXPORTED).after == {"q": "a" * 200}


def test_the_search_and_the_filters_of_the_list_hold(root: Client, acme: Project) -> None:
    record(Kind.CHANGED, acme)
    record(Kind.PROJECT_ARCHIVED, acme)

    assert [row["action"] for row in exported(root, "kind=changed")] == ["changed"]
    assert [row["action"] for row in exported(root, "q=Acme")] == ["project.archived", "changed"]
    assert exported(root, "q=nothing") == []


def test_an_export_is_recorded_with_its_filters(root: Client, acme: Project) -> None:
    exported(root, "kind=changed&q=85251234567")

    event = AuditEvent.objects.get(kind="exported")
    assert (event.actor, event.after) == ("root", {"kind": "changed", "q": "••••67"})


def test_a_link_exports_nothing(root: Client) -> None:
    assert root.get(EXPORT).status_code == 405
    assert not AuditEvent.objects.exists()


def test_an_export_needs_its_own_permission(member: Callable[..., Client]) -> None:
    reader, exporter = member("view_auditevent"), member("view_auditevent", "export_auditevent")

    assert reader.post(EXPORT).status_code == 403
    assert EXPORT not in reader.get("/admin/audit/auditevent/").content.decode()
    assert not AuditEvent.objects.exists()
    assert EXPORT in exporter.get("/admin/audit/auditevent/").content.decode()
    assert len(exported(exporter)) == 1


def test_a_link_of_the_list_cannot_ask_more_than_the_list(root: Client) -> None:
    """Filters that the page has not are refused here as well."""
    assert root.post(f"{EXPORT}?actor__startswith=a").status_code in (302, 400)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 11])
def test_batches_join_without_a_gap(
    root: Client, acme: Project, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(page, "BATCH", 5)
    for number in range(count):
        record(Kind.ACTED, acme, detail=f"step {number}")

    rows = exported(root, "kind=acted")
    assert [row["detail"] for row in rows] == [f"step {number}" for number in reversed(range(count))]


def test_the_file_is_read_in_batches_while_it_is_written(
    root: Client, acme: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "BATCH", 10)
    for _ in range(25):
        record(Kind.ACTED, acme)
    answer: Any = root.post(f"{EXPORT}?kind=acted")

    with statements() as sent:
        assert len(list(answer.streaming_content)) == 26
    assert len([text for text in sent if "audit_auditevent" in text]) == 3


@given(st.sampled_from("=+-@\t\r\n"), st.text(max_size=20))
def test_no_cell_is_a_formula(first: str, rest: str) -> None:
    assert csv_export.cell(first + rest) == f"'{first}{rest}"


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (7, "7"), ("plain", "plain"), ("a=b", "a=b"), ("", "")]
)
def test_other_cells_stay(value: object, text: str) -> None:
    assert csv_export.cell(value) == text


def test_names_of_objects_are_no_formulas(root: Client, acme: Project) -> None:
    record(Kind.ACTED, Target(type="x.y", id="1", name='=HYPERLINK("https://evil.example")'), detail="+1+1")

    (line,) = [row for row in exported(root) if row["action"] == "acted"]
    assert line["object"].startswith("'=")
    assert line["detail"] == "'+1+1"


def test_a_download_has_a_name_and_is_kept_by_no_cache(root: Client, acme: Project) -> None:
    answer = root.post(EXPORT)

    assert answer["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
