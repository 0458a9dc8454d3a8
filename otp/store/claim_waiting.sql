-- As claim.sql, which has the rest, of what waits: the freshest first, of challenges that are still open. What another
-- worker takes at the same moment is passed over, so nobody waits for a lock. OFFSET 0 keeps the planner from beginning
-- with all challenges, which it likes while they are few.
WITH waiting AS MATERIALIZED (
  SELECT d.id AS delivery_id, c.* FROM otp_delivery d CROSS JOIN LATERAL (
    SELECT * FROM otp_challenge WHERE id = d.challenge_id
      AND verified_at IS NULL AND ended_at IS NULL AND expires_at > %(now)s OFFSET 0
  ) c
  WHERE d.status = %(queued)s AND d.accepted_at IS NULL AND d.due_at IS NOT NULL
    AND d.send_after <= %(now)s AND d.send_after > %(since)s
  ORDER BY d.send_after DESC LIMIT %(most)s FOR NO KEY UPDATE OF d SKIP LOCKED
)
UPDATE otp_delivery d SET status = %(sending)s, status_at = %(now)s, due_at = %(lease)s, tries = d.tries + 1
FROM waiting c WHERE d.id = c.delivery_id
