-- The session of a right code, in the statement that judges it (otp/store/verify.sql gives `opened` and now).
-- Its data is what Django's signing.dumps makes: JSON in base64url, the time, and their HMAC by its pads (RFC 2104).
signed AS (
  SELECT user_id, rtrim(translate(encode(convert_to(format(%(data)s::text, user_id, session_hash,
      extract(epoch FROM %(now)s::timestamptz), CASE WHEN sms_sent THEN %(amr_with_sms)s ELSE %(amr)s::text END),
    'UTF8'), 'base64'), E'+/\n', '-_'), '=') || ':' || %(signed_at)s::text AS data
  FROM opened
), session AS (
  INSERT INTO login_session (session_key, id, session_data, expire_date, created_at, user_id, user_agent, address)
  SELECT %(key)s, %(sid)s, data || ':' || rtrim(translate(encode(sha256(%(outer)s::bytea ||
      sha256(%(inner)s::bytea || convert_to(data, 'UTF8'))), 'base64'), E'+/\n', '-_'), '='),
    %(now)s + %(valid)s::interval, %(now)s, user_id, %(user_agent)s, %(address)s::inet
  FROM signed
)
