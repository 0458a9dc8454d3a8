-- One guess: counted, judged and consumed in one conditional UPDATE, with all that follows from it.
-- COALESCE(due_at, ...): see end_replaced.sql.
WITH guessed AS (
  SELECT id, project_id, phone, browser, purpose, code_length, is_test, attempts, max_attempts, expires_at, verified_at,
    ended_at,
    CASE WHEN is_test
      THEN (project_id, phone) IN (SELECT * FROM unnest(%(test_projects)s::uuid[], %(test_phones)s::text[]))
      ELSE code_length = %(length)s AND key_id = ANY(%(key_ids)s)
    END AS is_right
  FROM otp_challenge WHERE id = %(id)s
), judged AS (
  UPDATE otp_challenge c SET
    attempts = c.attempts + CASE WHEN guessed.is_right THEN 0 ELSE 1 END,
    verified_at = CASE WHEN guessed.is_right THEN %(now)s END
  FROM guessed
  WHERE c.id = guessed.id AND c.verified_at IS NULL AND c.ended_at IS NULL AND c.expires_at > %(now)s
    AND c.attempts < c.max_attempts AND c.code_length = %(length)s AND c.purpose = %(purpose)s
  RETURNING c.id, c.project_id, c.phone, c.browser, c.attempts, c.verified_at
), person AS (
  INSERT INTO users_user (id, password, last_login, is_superuser, project_id, phone, username, is_active, is_staff,
    session_salt, created_at)
  SELECT %(user_id)s::uuid, '', %(now)s, false, project_id, phone, NULL, true, false, %(salt)s, %(now)s
  FROM judged WHERE verified_at IS NOT NULL AND %(user_id)s::uuid IS NOT NULL
  ON CONFLICT (project_id, phone) DO UPDATE SET last_login = EXCLUDED.last_login
  RETURNING id, is_active, session_salt
), missed AS (
  INSERT INTO otp_phonerecord AS r (project_id, phone, wrong_guesses, known_wrong_guesses, updated_at)
  SELECT project_id, phone, CASE WHEN browser = '' THEN 1 ELSE 0 END, CASE WHEN browser = '' THEN 0 ELSE 1 END, %(now)s
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
  WHERE judged.verified_at IS NOT NULL AND d.challenge_id = judged.id
    AND COALESCE(d.due_at, '-infinity') > '-infinity'
)
SELECT judged.id IS NOT NULL AS counted, person.id AS user_id, person.is_active, person.session_salt, c.is_right,
  c.project_id, c.phone, c.is_test, COALESCE(judged.attempts, c.attempts) AS attempts, c.max_attempts, c.expires_at,
  COALESCE(judged.verified_at, c.verified_at) AS verified_at, c.ended_at, c.purpose, c.code_length,
  CASE WHEN c.browser = '' THEN missed.wrong_guesses END AS in_a_row,
  -- The table as it was before this guess.
  CASE WHEN c.browser = '' AND missed.wrong_guesses IS NOT NULL THEN (SELECT sum(o.attempts) FROM otp_challenge o
    WHERE o.project_id = c.project_id AND o.phone = c.phone AND o.id > %(guesses_since)s AND o.browser = '')
  END AS lately_before,
  ARRAY(SELECT d.channel FROM otp_delivery d WHERE d.challenge_id = c.id AND d.tries > 0 ORDER BY d.id) AS channels
FROM guessed c LEFT JOIN judged ON true LEFT JOIN person ON true LEFT JOIN missed ON true
