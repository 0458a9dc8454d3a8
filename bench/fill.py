"""Fills a database with a history of logins: everything that a service has after a while, keys in the order of time."""

import psycopg

# Two weeks back, evenly; the youngest are a few minutes old, as on a busy day. Numbers repeat every million logins.
ID_FUNCTION = """
CREATE OR REPLACE FUNCTION bench_id(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(r, 1, 3) || 'a'
    || substr(r, 4, 15))::uuid FROM md5(random()::text) r
$$
"""
_STEP = 250_000
_CHALLENGES = """
INSERT INTO otp_challenge (id, project_id, purpose, phone, key_id, code_length, start_key, is_test, language, origin,
  address, created_at, expires_at, resend_at, sends, attempts, max_attempts, verified_at, ended_at, end_reason)
SELECT bench_id(at), p.id, 'login', '+8525' || lpad((n %% 1000000)::text, 7, '0'), 'k1', 6,
  decode(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0'), 'hex')
    || substr(decode(md5(n::text) || md5('x' || n::text), 'hex'), 1, 26), false, 'en', 'https://login.example.com',
  '192.0.2.1', at, at + interval '5 minutes', at + interval '30 seconds', 1, 0, 5,
  CASE WHEN n %% 10 < 9 THEN at + interval '20 seconds' END, NULL, ''
FROM (SELECT n, now() - interval '10 minutes' - (%(rows)s::int - n) * (interval '14 days' / %(rows)s::int) AS at
  FROM generate_series(%(first)s::int, %(last)s::int) n) days, (SELECT id FROM projects_project LIMIT 1) p
"""
_DELIVERIES = """
INSERT INTO otp_delivery (id, challenge_id, channel, number, cause, chosen, sender_id, status, reason, provider_code,
  provider_message_id, tries, created_at, send_after, due_at, accepted_at, status_at)
SELECT bench_id(c.created_at), c.id, 'whatsapp', 1, 'start', false, s.id, 6, '', '',
  'wamid.' || replace(c.id::text, '-', ''), 1, c.created_at, c.created_at, NULL, c.created_at, c.created_at
FROM otp_challenge c, (SELECT id FROM channels_sender WHERE channel = 'whatsapp' LIMIT 1) s
"""
_EVENTS = """
INSERT INTO otp_deliveryevent
  (delivery_id, status, reason, provider_code, provider_message_id, occurred_at, recorded_at)
SELECT id, 6, '', '', provider_message_id, created_at, created_at FROM otp_delivery
"""
_USERS = """
INSERT INTO users_user (id, password, last_login, is_superuser, project_id, phone, username, is_active, is_staff,
  session_salt, created_at)
SELECT bench_id(now()), '', now(), false, p.id, '+8525' || lpad(n::text, 7, '0'), NULL, true, false,
  substr(md5(n::text), 1, 16), now()
FROM generate_series(0, %(users)s::int - 1) n, (SELECT id FROM projects_project LIMIT 1) p
"""
_RECORDS = """
INSERT INTO otp_phonerecord (project_id, phone, wrong_guesses, blocked_until, not_on_whatsapp_at, updated_at)
SELECT project_id, phone, 1, NULL, NULL, now() - interval '14 days' * random() FROM users_user
WHERE substr(phone, 12, 1) = '7'
"""


def fill(url: str, rows: int) -> None:
    """`rows` challenges with a delivery and an event each, a user for each number; then VACUUM ANALYZE."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ID_FUNCTION)
        for first in range(1, rows + 1, _STEP):
            span = {"rows": rows, "first": first, "last": min(first + _STEP - 1, rows)}
            connection.execute(_CHALLENGES, span)
        connection.execute(_DELIVERIES)
        connection.execute(_EVENTS)
        connection.execute(_USERS, {"users": min(rows, 1_000_000)})
        connection.execute(_RECORDS)
        connection.execute("VACUUM ANALYZE")
