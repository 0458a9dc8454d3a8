-- The statuses are numbers in the text: only so can the planner see that the partial index holds them.
SELECT s.id AS sender_id, d.accepted_at
FROM unnest(%(senders)s::uuid[], %(since)s::timestamptz[]) AS s(id, since)
CROSS JOIN LATERAL (
  SELECT accepted_at FROM otp_delivery
  WHERE sender_id = s.id AND status IN ({accepted}, {expired}) AND provider_message_id <> ''
    AND accepted_at > COALESCE(s.since, '-infinity') AND accepted_at <= %(until)s
    AND NOT EXISTS (
      SELECT FROM otp_deliveryevent e
      WHERE e.delivery_id = otp_delivery.id AND e.status > {accepted} AND e.provider_message_id <> '')
  ORDER BY accepted_at LIMIT %(most)s
) d
ORDER BY s.id, d.accepted_at
