"""The log as CSV: whole, masked, harmless in a spreadsheet, and in pieces."""

import csv
import io
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEvent
from console import exports, log_rows
from otp.models import Challenge
from projects.config import ProjectConfig
from tests import factories
from tests.console.log.support import LOG, MESSAGE_ID, add_challenge, add_message, signed_in

EXPORT = f"{LOG}export/"


def download(browser: Client, query: str = "") -> list[dict[str, str]]:
    answer: Any = browser.post(EXPORT + query)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_one_line_for_each_message_without_numbers(challenge: Challenge, staff: Client) -> None:
    """K4, P2."""
    lines = download(staff)

    assert [line["channel"] for line in lines] == ["whatsapp", "sms"]
    assert {line["challenge_id"] for line in lines} == {str(challenge.id)}
    assert lines[0]["reason"] == "not_on_channel"
    assert lines[0]["number"] == "'+852 •••• ••67"
    for hidden in (factories.PHONE, factories.PHONE[1:], MESSAGE_ID, factories.code_of(challenge.id)):
        assert hidden not in repr(lines)


def test_a_challenge_without_messages_has_a_line(project: ProjectConfig, staff: Client) -> None:
    add_challenge(project, is_test=True)

    (line,) = download(staff)
    assert (line["test_number"], line["channel"], line["accepted_at"]) == ("yes", "", "")


def test_the_filters_and_the_search_of_the_list(
    project: ProjectConfig, challenge: Challenge, staff: Client
) -> None:
    add_message(add_challenge(project, phone=factories.OTHER_PHONE))

    assert len(download(staff)) == 3
    assert len(download(staff, "?country=44")) == 1
    assert len(download(staff, "?q=%2B85251234567")) == 2
    assert download(staff, "?reason=payment") == []


def test_who_took_it_away_is_in_the_audit_log(challenge: Challenge, staff: Client) -> None:
    download(staff, "?q=%2B85251234567&country=852")

    event = AuditEvent.objects.get(kind="exported")
    assert event.detail == "delivery log"
    assert event.after["country"] == "852"
    assert "51234567" not in str(event.after)


def test_a_wrong_filter_exports_nothing(challenge: Challenge, staff: Client) -> None:
    answer = staff.post(f"{EXPORT}?from=never", follow=True)

    assert "A filter is not valid" in answer.content.decode()
    assert answer["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("permissions", [(), ("view_challenge",), ("export_challenge",)])
def test_it_takes_both_permissions(permissions: tuple[str, ...], challenge: Challenge) -> None:
    """K4."""
    browser = signed_in("support", *permissions)

    assert browser.post(EXPORT).status_code == 403
    assert "Download" not in browser.get(LOG).content.decode()


def test_with_both_it_is_offered_and_given(challenge: Challenge) -> None:
    browser = signed_in("support", "view_challenge", "export_challenge")

    assert "Download as CSV" in browser.get(LOG).content.decode()
    assert len(download(browser)) == 2


def test_the_button_keeps_the_filters(challenge: Challenge, staff: Client) -> None:
    page = staff.get(LOG, {"country": "852"}).content.decode()

    assert f'action="{EXPORT}?country=852"' in page


def test_a_link_gives_nothing_and_nobody_keeps_a_copy(challenge: Challenge, staff: Client) -> None:
    """G3."""
    assert staff.get(EXPORT).status_code == 405
    assert "no-store" in staff.post(EXPORT)["Cache-Control"]


def test_it_is_read_in_pieces(project: ProjectConfig, staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by key: neither twice nor never, whatever the size of a piece."""
    monkeypatch.setattr(log_rows, "BATCH", 3)
    keys = [str(add_challenge(project).id) for _ in range(7)]

    with CaptureQueriesContext(connection) as queries:
        lines = download(staff)

    assert [line["challenge_id"] for line in lines] == sorted(keys, reverse=True)
    assert all("OFFSET" not in query["sql"] for query in queries)


def test_it_starts_before_it_is_read_to_the_end(
    project: ProjectConfig, staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_rows, "BATCH", 2)
    for _ in range(6):
        add_challenge(project)
    answer: Any = staff.post(EXPORT)
    content = iter(answer.streaming_content)
    next(content)  # the header

    with CaptureQueriesContext(connection) as queries:
        next(content)

    assert len(queries) == 2  # two challenges, their messages


def test_memory_does_not_grow_with_the_rows(project: ProjectConfig) -> None:
    """Five times the rows, the same peak."""

    def peak(number: int) -> int:
        now = timezone.now()
        Challenge.objects.bulk_create(
            [
                Challenge(
                    project_id=project.id, phone=factories.PHONE, key_id="0", code_length=6, language="en",
                    origin="x", created_at=now, expires_at=now + timedelta(minutes=5), resend_at=now, max_attempts=5,
                )
                for _ in range(number)
            ]
        )  # fmt: skip
        tracemalloc.start()
        try:
            for _line in log_rows.lines(Challenge.objects.all()):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small = peak(2 * log_rows.BATCH)
    assert peak(8 * log_rows.BATCH) < 1.5 * small


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "|cmd", "%x"])
def test_nothing_is_a_formula(text: str) -> None:
    assert exports.cell(text) == f"'{text}"


@pytest.mark.parametrize(("value", "text"), [(None, ""), ("", ""), (0, "0"), ("a=b", "a=b"), ("1-2", "1-2")])
def test_other_values_stay(value: object, text: str) -> None:
    assert exports.cell(value) == text


def test_what_strangers_sent_is_quoted(project: ProjectConfig, staff: Client) -> None:
    """The language of a page and a provider's code come from outside."""
    row = add_challenge(project, language="=cmd")
    add_message(row, provider_code='@SUM("1,2")\n')

    (line,) = download(staff)
    assert line["language"] == "'=cmd"
    assert line["provider_code"] == '\'@SUM("1,2")\n'
