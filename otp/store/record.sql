-- What else follows from the statuses that a batch of reports has raised (record_moved.sql): what they say about numbers on
-- WhatsApp. A number that another report of the batch says was reached is not one that WhatsApp does not know.
-- What was moved to the same comes as one row: a thousand take the driver longer than the database.
, not_on_whatsapp AS (
  INSERT INTO otp_phonerecord AS r (project_id, phone, not_on_whatsapp_at, updated_at)
  SELECT DISTINCT c.project_id, c.phone, %(now)s, %(now)s
  FROM moved JOIN otp_challenge c ON c.id = moved.challenge_id
  WHERE moved.channel = %(whatsapp)s AND moved.status = %(failed)s AND moved.reason = %(not_on_channel)s
    AND (c.project_id, c.phone) NOT IN (SELECT o.project_id, o.phone FROM moved m
      JOIN otp_challenge o ON o.id = m.challenge_id WHERE m.channel = %(whatsapp)s AND m.status >= %(delivered)s)
  ON CONFLICT (project_id, phone)
  DO UPDATE SET not_on_whatsapp_at = EXCLUDED.not_on_whatsapp_at, updated_at = EXCLUDED.updated_at
), on_whatsapp AS (
  UPDATE otp_phonerecord r SET not_on_whatsapp_at = NULL, updated_at = %(now)s
  FROM moved JOIN otp_challenge c ON c.id = moved.challenge_id
  WHERE moved.channel = %(whatsapp)s AND moved.status >= %(delivered)s
    AND r.project_id = c.project_id AND r.phone = c.phone AND r.not_on_whatsapp_at IS NOT NULL
)
SELECT channel, sender_id::text, status, reason, provider_code, template_language,
  sender_id IN (SELECT sender_id FROM channels_senderhealth) AS is_unhealthy, string_agg(id::text, ' ') AS delivery_ids,
  string_agg(challenge_id::text, ' ') AS challenge_ids, string_agg(date_part('epoch', status_at)::text, ' ') AS times
FROM moved GROUP BY channel, sender_id, status, reason, provider_code, template_language
