-- A batch of reports: events, the statuses that they raise, and what they say about numbers on WhatsApp.
-- A report may change a delivery only of a sender whose secret signed it (one row per such sender). Rows are locked in
-- the order of their keys first, so that two batches about the same messages wait for each other and never deadlock.
-- What a message is billed as comes with some of its reports: any of a batch that raises the status may say it.
-- Meta writes whole seconds: a status was not reached before its message was accepted.
WITH report AS (
  SELECT sender_id, delivery_id, message_id, status, to_timestamp(at) AS at, reason, code, category
  FROM json_to_recordset(%(reports)s::json) AS report(
    sender_id uuid, delivery_id uuid, message_id text, status smallint, at float8, reason text, code text,
    category text)
), matched AS (
  SELECT d.id, r.message_id, r.status, r.at, r.reason, r.code, r.category FROM report r JOIN otp_delivery d
    ON d.id = r.delivery_id AND d.sender_id = r.sender_id
  UNION
  SELECT d.id, r.message_id, r.status, r.at, r.reason, r.code, r.category FROM report r JOIN otp_delivery d
    ON d.provider_message_id = r.message_id AND d.provider_message_id <> '' AND d.sender_id = r.sender_id
    WHERE r.delivery_id IS NULL
), events AS (
  INSERT INTO otp_deliveryevent
  (delivery_id, status, reason, provider_code, provider_message_id, occurred_at, recorded_at)
  SELECT DISTINCT ON (id, message_id, status) id, status, reason, code, message_id, at, %(now)s
  FROM matched ORDER BY id, message_id, status, at
  ON CONFLICT DO NOTHING
), best AS (
  SELECT DISTINCT ON (id) id, message_id, status, at, reason, code, max(category) OVER (PARTITION BY id) AS category
  FROM matched ORDER BY id, status DESC, at
), locked AS (
  SELECT best.* FROM best JOIN otp_delivery d ON d.id = best.id ORDER BY d.id FOR UPDATE OF d
), moved AS (
  UPDATE otp_delivery d SET
  status = b.status, status_at = LEAST(GREATEST(b.at, COALESCE(d.accepted_at, d.created_at)), %(now)s),
  reason = b.reason, provider_code = b.code,
  price_category = CASE WHEN b.category = '' THEN d.price_category ELSE b.category END,
  provider_message_id = CASE WHEN d.provider_message_id = '' THEN b.message_id ELSE d.provider_message_id END,
  due_at = CASE WHEN b.status >= %(delivered)s THEN NULL WHEN b.status = %(failed)s THEN %(now)s ELSE d.due_at END
  FROM locked b WHERE d.id = b.id AND d.status < b.status
  RETURNING d.id AS delivery_id, d.challenge_id, d.channel, d.sender_id, d.status, d.reason, d.provider_code,
    d.status_at, d.template_language
), not_on_whatsapp AS (
  INSERT INTO otp_phonerecord AS r (project_id, phone, not_on_whatsapp_at, updated_at)
  SELECT DISTINCT c.project_id, c.phone, %(now)s, %(now)s
  FROM moved JOIN otp_challenge c ON c.id = moved.challenge_id
  WHERE moved.channel = %(whatsapp)s AND moved.status = %(failed)s AND moved.reason = %(not_on_channel)s
  ON CONFLICT (project_id, phone)
  DO UPDATE SET not_on_whatsapp_at = EXCLUDED.not_on_whatsapp_at, updated_at = EXCLUDED.updated_at
), on_whatsapp AS (
  UPDATE otp_phonerecord r SET not_on_whatsapp_at = NULL, updated_at = %(now)s
  FROM moved JOIN otp_challenge c ON c.id = moved.challenge_id
  WHERE moved.channel = %(whatsapp)s AND moved.status >= %(delivered)s AND r.project_id = c.project_id
    AND r.phone = c.phone AND r.not_on_whatsapp_at IS NOT NULL
)
SELECT moved.*, EXISTS (SELECT FROM channels_senderhealth h WHERE h.sender_id = moved.sender_id) AS is_unhealthy
FROM moved
