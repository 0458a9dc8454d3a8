-- Put before start.sql when a start takes the place of the browser's earlier challenge.
WITH ended AS (
  UPDATE otp_challenge SET ended_at = %(now)s, end_reason = %(restarted)s
  WHERE id = %(replaces)s AND verified_at IS NULL AND ended_at IS NULL RETURNING id
), stopped AS (
  UPDATE otp_delivery SET due_at = NULL FROM ended
  WHERE challenge_id = ended.id AND due_at IS NOT NULL
)
