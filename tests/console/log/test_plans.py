"""How PostgreSQL reads the log: by an index for each filter and search, never every row."""

import uuid
from typing import Any

import pytest
from django.contrib.admin.sites import site
from django.db import connection
from django.test import RequestFactory

from console import people_search
from otp.models import Challenge
from projects.config import ProjectConfig
from tests import factories
from users.models import User

ROWS = 40_000
_CHALLENGES = """
  INSERT INTO otp_challenge (id, project_id, phone, key_id, code_length, language, origin, created_at, expires_at,
    resend_at, max_attempts)
  SELECT (lpad(to_hex(1760000000000 + n * 60000::bigint), 12, '0') || '7' || lpad(to_hex(n %% 4096), 3, '0') || '8000'
      || lpad(to_hex(n), 12, '0'))::uuid,
    %s, CASE WHEN n %% 20000 = 0 THEN '+44791' ELSE '+852' END || lpad(n::text, 8, '5'), '0', 6, 'en', 'https://x',
    to_timestamp(1760000000 + n * 60), to_timestamp(1760000300 + n * 60), to_timestamp(1760000000 + n * 60), 5
  FROM generate_series(1, %s) n"""
_DELIVERIES = """
  INSERT INTO otp_delivery (id, challenge_id, channel, status, reason, provider_message_id, created_at, send_after,
    status_at)
  SELECT gen_random_uuid(), id, 'whatsapp', 6, CASE WHEN attempts = 0 AND random() < 0.0002 THEN 'payment' ELSE '' END,
    'wamid.' || id, created_at, created_at, created_at FROM otp_challenge"""


@pytest.fixture
def many(db: None) -> ProjectConfig:
    project = factories.make_project(countries_allowed=["HK"])
    User.objects.create_superuser("root", "a long enough password")
    with connection.cursor() as cursor:
        cursor.execute(_CHALLENGES, [project.id, ROWS])
        cursor.execute(_DELIVERIES)
        cursor.execute("ANALYZE otp_challenge")
        cursor.execute("ANALYZE otp_delivery")
    return project


def plan(**query: str) -> str:
    """Of the rows of a page of fifty."""
    request = RequestFactory().get("/", query)
    request.user = User.objects.get(username="root")
    admin: Any = site._registry[Challenge]
    changes = admin.get_changelist_instance(request)
    rows = changes.get_queryset(request).prefetch_related(None)
    return str(rows[:50].explain())


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "otp_challenge_pkey"),
        ({"outcome": "open"}, "otp_challenge_pkey"),
        ({"from": "2025-10-10", "to": "2025-10-10"}, "otp_challenge_pkey"),
        ({"q": "+852 5123 4567"}, "challenge_by_"),
        ({"q": str(uuid.uuid4())}, "otp_challenge_pkey"),
        ({"country": "44"}, "challenge_by_number"),
        ({"country": "47"}, "challenge_by_number"),
        ({"country": "852"}, "otp_challenge_pkey"),
        ({"reason": "payment"}, "delivery_by_reason"),
        ({"reason": "held"}, "delivery_by_reason"),
        ({"channel": "sms"}, "delivery_by_other_channel"),
        ({"channel": "whatsapp"}, "otp_challenge_pkey"),
        ({"fallback": "yes"}, "one_fallback_per_challenge"),
    ],
)
def test_a_page_is_read_by_an_index(query: dict[str, str], index: str, many: ProjectConfig) -> None:
    page = plan(**query)

    assert index in page
    assert "Seq Scan on otp_challenge" not in page
    assert "Seq Scan on otp_delivery" not in page


_USERS = """
  INSERT INTO users_user (id, password, is_superuser, project_id, phone, is_active, is_staff, session_salt, created_at)
  SELECT gen_random_uuid(), '', false, %s, '+852' || lpad(n::text, 8, '0'), true, false, 'x', now()
  FROM generate_series(1, 40000) n"""


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("part", "index"), [("12345", "user_by_last_digits"), ("+8520001234", "user_by_number")]
)
def test_a_part_of_a_number_is_looked_up_by_an_index(part: str, index: str, db: None) -> None:
    project = factories.make_project(countries_allowed=["HK"])
    with connection.cursor() as cursor:
        cursor.execute(_USERS, [project.id])
        cursor.execute(
            "SET LOCAL default_statistics_target = 1000"
        )  # by a coarser histogram it guesses hundreds
        cursor.execute("ANALYZE users_user")
    request = RequestFactory().get("/")
    request.user = User.objects.create_superuser("root", "a long enough password")

    users = people_search.matching(request, User.objects.order_by("-id"), part)

    assert users is not None
    plan_of_users = users[:50].explain()
    assert index in plan_of_users
    assert "Seq Scan" not in plan_of_users
