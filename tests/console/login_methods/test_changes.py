"""What changes for users, in sentences: by table."""

from typing import Any

import pytest

from console.method_changes import changes
from projects.models import LoginMethods

USUAL: dict[str, Any] = {"countries_allowed": ["HK", "GB", "IN", "US"], "countries_pinned": ["HK"]}
INDIA = {"countries": ["IN"], "order": ["whatsapp", "sms"], "wait_seconds": 12}


def said(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return changes(LoginMethods(**(USUAL | before)), LoginMethods(**(USUAL | before | after)))


@pytest.mark.parametrize(
    ("after", "text"),
    [
        ({"verify_phone_by": "sms_only"}, "Users now get their code by SMS only."),
        ({"verify_phone_by": "whatsapp_only"}, "Users now get their code by WhatsApp only."),
        ({"fallback_wait_seconds": 25}, "An SMS now follows when WhatsApp has not delivered after 25 s."),
        ({"fallback_enabled": False}, "No SMS follows by itself any more: users choose it."),
        ({"otp_length": 8}, "New codes have 8 digits."),
        ({"otp_valid_seconds": 300}, "Codes now live 5 minutes."),
        ({"otp_valid_seconds": 60}, "Codes now live 1 minute."),
        ({"otp_valid_seconds": 90}, "Codes now live 90 seconds."),
        ({"resend_after_seconds": 45}, "A code can be sent again after 45 s, then 90, then 180."),
        ({"max_attempts": 3}, "A code is over after 3 wrong tries."),
        ({"max_attempts": 1}, "A code is over after 1 wrong try."),
        ({"countries_allowed": ["all"]}, "Users of all countries can log in now."),
        ({"countries_allowed": ["HK", "GB", "IN", "US", "DE"]}, "Users in Germany can log in now."),
        ({"countries_allowed": ["HK", "GB", "IN"]}, "Users in United States get no codes any more."),
        ({"countries_pinned": ["GB", "HK"]}, "The login page shows United Kingdom, Hong Kong SAR China first."),
        ({"countries_pinned": []}, "The login page shows all countries by name."),
        ({"routing": [INDIA]}, "Users in India get WhatsApp first, SMS after 12 s."),
        ({"routing": [{"countries": ["IN"], "order": ["sms", "whatsapp"]}]}, "Users in India get SMS first, WhatsApp when that fails."),
        ({"routing": [{"countries": ["IN", "US"], "order": ["sms"]}]}, "Users in India, United States get SMS only."),
        ({"routing": [INDIA | {"sender": "india"}]}, "Users in India get WhatsApp first, SMS after 12 s, through the sender india."),
    ],
)  # fmt: skip
def test_each_change_is_a_sentence(after: dict[str, Any], text: str) -> None:
    assert said({}, after) == [text]


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"verify_phone_by": "sms_only"}, {"verify_phone_by": "whatsapp_or_sms"}, "An SMS now follows when WhatsApp has not delivered after 20 s."),
        ({"fallback_enabled": False}, {"fallback_enabled": True}, "An SMS now follows when WhatsApp has not delivered after 20 s."),
        ({"countries_allowed": ["all"]}, {"countries_allowed": ["HK"]}, "Only users in Hong Kong SAR China can log in now."),
        ({"routing": [INDIA]}, {"routing": []}, "Users in India get WhatsApp first, SMS after 20 s, as everywhere."),
        ({"routing": [INDIA]}, {"routing": [INDIA | {"wait_seconds": 30}]}, "Users in India get WhatsApp first, SMS after 30 s."),
    ],
)  # fmt: skip
def test_what_is_undone_is_said_too(before: dict[str, Any], after: dict[str, Any], text: str) -> None:
    assert text in said(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({"verify_phone_by": "sms_only"}, {"fallback_wait_seconds": 60}),
        ({"fallback_enabled": False}, {"fallback_wait_seconds": 60}),
        ({}, {"routing": [{"countries": ["IN"], "order": ["whatsapp", "sms"]}]}),
    ],
)
def test_what_nobody_notices_is_not_said(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert said(before, after) == []


def test_all_changes_are_said_in_the_order_of_the_page() -> None:
    texts = said({}, {"otp_length": 8, "countries_pinned": [], "routing": [INDIA]})

    assert [text.split()[0] for text in texts] == ["New", "The", "Users"]
