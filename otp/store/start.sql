-- A challenge with its first delivery. A form that was posted before changes nothing and gives no row.
WITH started AS (
  INSERT INTO otp_challenge (id, project_id, purpose, phone, country, key_id, code_length, start_key, is_test, language, origin,
    address, browser, created_at, expires_at, resend_at, max_attempts)
  VALUES (%(id)s, %(project_id)s, %(purpose)s, %(phone)s::text, %(country)s, %(key_id)s, %(code_length)s, %(start_key)s,
    %(is_test)s, %(language)s, %(origin)s, %(address)s, %(browser)s::text, %(now)s, %(expires_at)s, %(resend_at)s,
    CASE WHEN EXISTS (SELECT FROM otp_phonerecord WHERE project_id = %(project_id)s AND phone = %(phone)s::text
        AND CASE WHEN %(browser)s::text = '' THEN wrong_guesses ELSE known_wrong_guesses END
          >= %(most_wrong_guesses)s)
      THEN %(attempts_after_most)s ELSE %(max_attempts)s END)
  ON CONFLICT (start_key) DO NOTHING RETURNING id, max_attempts
), delivery AS (
  INSERT INTO otp_delivery (id, challenge_id, channel, cause, chosen, sender_id, status, created_at, send_after, due_at,
    status_at, request_id)
  SELECT %(delivery_id)s, started.id, %(channel)s, %(cause)s, %(chosen)s, %(sender_id)s::uuid, %(status)s, %(now)s,
    %(now)s, %(due_at)s, %(now)s, %(request_id)s FROM started
)
SELECT max_attempts FROM started
