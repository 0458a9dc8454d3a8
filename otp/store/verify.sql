-- One guess: counted, judged and consumed in one conditional UPDATE, with all that follows from it. What a login opens is
-- added before the last SELECT (core.sql.WithQueries): it reads from `opened`.
-- Rows are named by the parameter, not by a join: a plan that was made while the tables were nearly empty, and is kept,
-- reads a joined table from end to end.
WITH guessed AS (
  SELECT *, CASE WHEN is_test
      THEN (project_id, phone) IN (SELECT * FROM unnest(%(test_projects)s::uuid[], %(test_phones)s::text[]))
      ELSE code_length = %(length)s AND key_id = ANY(%(key_ids)s::text[])
    END AS is_right
  FROM otp_challenge WHERE id = %(id)s
), judged AS (
  UPDATE otp_challenge c SET
    attempts = c.attempts + (NOT guessed.is_right)::int,
    verified_at = CASE WHEN guessed.is_right THEN %(now)s END
  FROM guessed
  WHERE c.id = %(id)s AND c.verified_at IS NULL AND c.ended_at IS NULL AND c.expires_at > %(now)s
    AND c.attempts < c.max_attempts AND c.code_length = %(length)s AND c.purpose = %(purpose)s
  RETURNING c.id, c.project_id, c.phone, c.browser, c.attempts, c.verified_at
), person AS (
  INSERT INTO users_user (id, password, last_login, is_superuser, project_id, phone, is_active, is_staff, session_salt,
    created_at)
  SELECT %(user_id)s::uuid, '', %(now)s, false, project_id, phone, true, false, %(salt)s, %(now)s
  FROM judged WHERE verified_at IS NOT NULL AND %(user_id)s::uuid IS NOT NULL
  ON CONFLICT (project_id, phone) DO UPDATE SET last_login = EXCLUDED.last_login
  -- As users.models.session_hash, by the definition of HMAC (RFC 2104).
  RETURNING id, is_active, session_salt, encode(sha256(%(outer_pad)s::bytea ||
    sha256(%(inner_pad)s::bytea || convert_to(session_salt || ':' || password, 'UTF8'))), 'hex') AS session_hash
), sent AS (
  SELECT ARRAY(SELECT channel FROM otp_delivery WHERE challenge_id = %(id)s AND tries > 0 ORDER BY id) AS channels
), opened AS (
  SELECT person.id AS user_id, person.session_hash, %(sms)s = ANY(sent.channels) AS sms_sent
  FROM person CROSS JOIN sent WHERE person.is_active
), missed AS (
  INSERT INTO otp_phonerecord AS r (project_id, phone, wrong_guesses, known_wrong_guesses, updated_at)
  SELECT project_id, phone, (browser = '')::int, (browser <> '')::int, %(now)s
  FROM judged WHERE verified_at IS NULL
  ON CONFLICT (project_id, phone) DO UPDATE SET wrong_guesses = r.wrong_guesses + EXCLUDED.wrong_guesses,
    known_wrong_guesses = r.known_wrong_guesses + EXCLUDED.known_wrong_guesses, updated_at = EXCLUDED.updated_at
  RETURNING wrong_guesses
), cleared AS (
  UPDATE otp_phonerecord r SET wrong_guesses = 0, known_wrong_guesses = 0, updated_at = %(now)s FROM judged
  WHERE judged.verified_at IS NOT NULL AND r.project_id = judged.project_id AND r.phone = judged.phone
    AND r.wrong_guesses + r.known_wrong_guesses > 0
), stopped AS (
  UPDATE otp_delivery d SET due_at = NULL FROM judged
  WHERE judged.verified_at IS NOT NULL AND d.challenge_id = %(id)s AND d.due_at IS NOT NULL
)
SELECT judged.id IS NOT NULL AS counted, person.id AS user_id, person.is_active, person.session_salt, person.session_hash,
  c.is_right, c.project_id, c.phone, c.is_test, COALESCE(judged.attempts, c.attempts) AS attempts, c.max_attempts,
  c.expires_at, COALESCE(judged.verified_at, c.verified_at) AS verified_at, c.ended_at, c.purpose, c.code_length,
  CASE WHEN c.browser = '' THEN missed.wrong_guesses END AS in_a_row,
  -- The table as it was before this guess.
  CASE WHEN c.browser = '' AND missed.wrong_guesses IS NOT NULL THEN (SELECT sum(o.attempts) FROM otp_challenge o
    WHERE o.project_id = c.project_id AND o.phone = c.phone AND o.id > %(guesses_since)s AND o.browser = '')
  END AS lately_before,
  sent.channels
FROM guessed c CROSS JOIN sent LEFT JOIN judged ON true LEFT JOIN person ON true LEFT JOIN missed ON true
