-- The delivery, for this worker alone until the lease ends, with what sending needs of its challenge.
UPDATE otp_delivery d SET status = %(sending)s, status_at = %(now)s, due_at = %(lease)s, tries = tries + 1
FROM otp_challenge c
WHERE d.id = %(id)s AND d.status = %(queued)s AND d.send_after <= %(now)s AND c.id = d.challenge_id
  AND c.verified_at IS NULL AND c.ended_at IS NULL AND c.expires_at > %(now)s
RETURNING d.id AS delivery_id, c.id AS challenge_id, c.project_id, d.sender_id, d.channel, d.chosen, d.tries, d.request_id,
  c.purpose, c.phone, c.key_id, c.code_length, c.is_test, c.language, c.origin, d.created_at, c.expires_at,
  EXISTS (SELECT FROM channels_senderhealth h WHERE h.sender_id = d.sender_id) AS is_unhealthy,
  d.channel = %(whatsapp)s AND NOT d.chosen AND EXISTS (SELECT FROM otp_phonerecord r
    WHERE r.project_id = c.project_id AND r.phone = c.phone AND r.not_on_whatsapp_at > %(not_on_whatsapp_since)s
  ) AS not_on_whatsapp
