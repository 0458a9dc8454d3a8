"""`manage.py doctor` as an operator runs it: lines, JSON, what is skipped, and the exit code."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from channels.findings import Finding, Level, about, fail, ok, warn
from ops.doctor import Check, Line, examine
from ops.management.commands import doctor
from tests import factories

NAMES = [
    "settings", "database", "migrations", "redis", "broker", "workers", "clock", "keys", "projects", "set-up", "clients", "senders",
    "reports", "public-url",
]  # fmt: skip


def run(*arguments: str) -> tuple[int, str]:
    out, code = StringIO(), 0
    try:
        call_command("doctor", *arguments, stdout=out)
    except SystemExit as leaving:
        code = int(str(leaving.code))
    return code, out.getvalue()


def only(monkeypatch: pytest.MonkeyPatch, **checks: Any) -> None:
    """The command with these checks instead of its own."""
    made = {name: (lambda findings=findings: iter(findings)) for name, findings in checks.items()}
    monkeypatch.setattr(doctor, "CHECKS", tuple(made.items()))


def test_its_subjects_are_those_of_the_documents() -> None:
    assert [name for name, _ in doctor.CHECKS] == NAMES


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([], 0),
        ([ok("a")], 0),
        ([ok("a"), warn("b", "c")], 0),
        ([fail("a", "b")], 1),
        ([fail("a", "b"), ok("c")], 1),
    ],
)
@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_it_fails_when_a_check_fails_and_not_for_a_warning(
    findings: list[Finding], code: int, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, one=findings, two=[ok("fine")])

    assert run(*arguments)[0] == code


def test_a_finding_is_a_line_and_its_remedy_another(monkeypatch: pytest.MonkeyPatch) -> None:
    only(
        monkeypatch,
        database=[ok("answers")],
        set_up=[about("acme", warn("has no host", "Add one."))],
        senders=[about("Shared", fail("is refused", "Enter it again.")), ok("done")],
    )

    assert run()[1] == (
        "ok    database    answers\n"
        "WARN  set_up      acme: has no host\n"
        "                  → Add one.\n"
        "FAIL  senders     Shared: is refused\n"
        "                  → Enter it again.\n"
        "ok    senders     done\n"
    )


def test_in_json_each_finding_is_an_object_of_five_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, one=[about("acme", fail("a", "b"))], two=[ok("c")])

    code, text = run("--json")

    assert (code, json.loads(text)) == (
        1,
        [
            {"check": "one", "subject": "acme", "status": "fail", "detail": "a", "remedy": "b"},
            {"check": "two", "subject": "", "status": "ok", "detail": "c", "remedy": ""},
        ],
    )


def test_without_a_finding_json_is_an_empty_list(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch)

    assert run("--json") == (0, "[]\n")
    assert run() == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_each_check_can_be_skipped(name: str) -> None:
    """A skipped check is not run at all, so one that would hang can be left out."""

    def must_not_run() -> Iterator[Finding]:
        raise AssertionError(name)

    checks: list[tuple[str, Check]] = [
        (other, must_not_run if other == name else lambda: [ok("ran")]) for other in NAMES
    ]

    lines = list(examine(checks, skip=[name]))

    assert [line.check for line in lines] == [other for other in NAMES if other != name]
    assert {line.detail for line in lines} == {"ran"}


@pytest.mark.parametrize(
    "arguments", [("--skip", "webhooks"), ("--skip",), ("--skip", "Redis"), ("senders",), ("--quick",)]
)
def test_other_arguments_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)


@pytest.mark.parametrize(
    "error", [RuntimeError("secret-1"), ValueError("secret-1"), KeyError("secret-1"), OSError(2, "secret-1")]
)
def test_a_check_that_breaks_fails_by_its_kind_alone_and_what_it_said_before_is_dropped(
    error: Exception,
) -> None:
    """Half of a check would look like all of it."""

    def breaks() -> Iterator[Finding]:
        yield ok("half")
        raise error

    (line,) = examine([("one", breaks)])

    assert line == Line(
        check="one",
        subject="",
        status=Level.FAIL,
        detail=f"Check failed: {type(error).__name__}",
        remedy="Fix the findings above first.",
    )


@pytest.mark.django_db
def test_an_empty_installation_fails_and_says_what_to_do() -> None:
    skipped = [f"--skip={name}" for name in ("broker", "workers", "public-url", "redis", "clock")]

    code, text = run("--json", *skipped)

    failed = {line["check"]: line for line in json.loads(text) if line["status"] == "fail"}
    assert code == 1
    assert failed["projects"]["detail"] == "there is no project"
    assert failed["senders"]["remedy"] == "Add one in the admin, or with ./manage.py apply."
    assert set(failed) == {"projects", "senders"}


@pytest.mark.django_db
def test_a_project_with_senders_passes_in_the_order_of_the_checks() -> None:
    factories.make_project()
    skipped = [f"--skip={name}" for name in ("broker", "workers", "public-url", "redis", "clock")]

    code, text = run(*skipped)

    assert code == 0, text
    order = [line.split()[1] for line in text.splitlines() if "→" not in line]
    assert sorted(order, key=NAMES.index) == order
    assert "ok    projects    acme: whatsapp then sms" in text
