-- A challenge with its deliveries, the oldest first: a row for each.
SELECT c.project_id, c.phone, c.code_length, c.expires_at, c.resend_at, c.attempts, c.max_attempts, c.verified_at,
  c.ended_at, c.end_reason, d.channel, d.status, d.reason, d.cause, d.status_at, d.due_at, d.chosen, d.sender_id
FROM otp_challenge c JOIN otp_delivery d ON d.challenge_id = c.id
WHERE c.id = %(id)s ORDER BY d.id
