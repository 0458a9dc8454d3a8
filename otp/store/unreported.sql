-- Of those that were accepted after the sender's last report nearly all are unreported, so the first few thousand tell.
-- Without that end the planner, which cannot know it, would rather read the whole table.
SELECT s.id AS sender_id, d.accepted_at
FROM unnest(%(senders)s::uuid[], %(since)s::timestamptz[]) AS s(id, since)
CROSS JOIN LATERAL (
  SELECT accepted_at FROM (
    SELECT id, status, accepted_at FROM otp_delivery
    WHERE sender_id = s.id AND provider_message_id <> ''
      AND accepted_at > COALESCE(s.since, '-infinity') AND accepted_at <= %(until)s
    ORDER BY accepted_at LIMIT {looked_at}
  ) accepted
  WHERE status IN ({accepted}, {expired}) AND NOT EXISTS (
    SELECT FROM otp_deliveryevent e
    WHERE e.delivery_id = accepted.id AND e.status > {accepted} AND e.provider_message_id <> '')
  ORDER BY accepted_at LIMIT %(most)s
) d
ORDER BY s.id, d.accepted_at
