-- What a batch of reports changes: events, the statuses that they raise, and what they say about numbers on WhatsApp.
-- It follows record_reports.sql and one of record_different.sql and record_any.sql, which say what `best` is.
-- A report may change a delivery only of a sender whose secret signed it (one row per such sender). Rows are locked in
-- the order of their keys first, so that two batches about the same messages wait for each other and never deadlock; and
-- only of what is locked is an event written, so that a delivery which is purged meanwhile leaves none.
-- A number that another report of the batch says was reached is not one that WhatsApp does not know.
-- What a message is billed as comes with some of its reports: any of a batch that raises the status may say it.
-- Meta writes whole seconds: a status was not reached before its message was accepted.
-- What was moved to the same comes as one row: a thousand take the driver longer than the database.
, moved AS (
  UPDATE otp_delivery d SET
  status = b.status, status_at = LEAST(GREATEST(b.at, COALESCE(d.accepted_at, d.created_at)), %(now)s),
  reason = b.reason, provider_code = b.code,
  price_category = CASE WHEN b.category = '' THEN d.price_category ELSE b.category END,
  provider_message_id = CASE WHEN d.provider_message_id = '' THEN b.message_id ELSE d.provider_message_id END,
  due_at = CASE WHEN b.status >= %(delivered)s THEN NULL WHEN b.status = %(failed)s THEN %(now)s ELSE d.due_at END
  FROM best b WHERE d.id = b.id AND d.status < b.status
  RETURNING d.id, d.challenge_id, d.channel, d.sender_id, d.status, d.reason, d.provider_code, d.status_at,
    d.template_language, b.was
), not_on_whatsapp AS (
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
  WHERE moved.channel = %(whatsapp)s AND moved.was < %(delivered)s AND moved.status >= %(delivered)s
    AND r.project_id = c.project_id AND r.phone = c.phone AND r.not_on_whatsapp_at IS NOT NULL
)
SELECT channel, sender_id::text, status, reason, provider_code, template_language,
  sender_id IN (SELECT sender_id FROM channels_senderhealth) AS is_unhealthy, string_agg(id::text, ' ') AS delivery_ids,
  string_agg(challenge_id::text, ' ') AS challenge_ids, string_agg(date_part('epoch', status_at)::text, ' ') AS times
FROM moved GROUP BY channel, sender_id, status, reason, provider_code, template_language
