-- As accept.sql, of several messages. It waits for nobody: a row that somebody else holds is left out.
WITH locked AS MATERIALIZED (
  SELECT a.* FROM json_to_recordset(%(acceptances)s::json)
    AS a(id uuid, message_id text, template_language text, at timestamptz, due_at timestamptz)
  CROSS JOIN LATERAL (SELECT FROM otp_delivery WHERE id = a.id FOR NO KEY UPDATE SKIP LOCKED) d
), accepted AS (
  UPDATE otp_delivery d SET
    status = GREATEST(d.status, %(accepted)s),
    status_at = CASE WHEN d.status < %(accepted)s THEN a.at ELSE d.status_at END,
    provider_message_id = CASE WHEN a.message_id <> '' THEN a.message_id ELSE d.provider_message_id END,
    template_language = a.template_language,
    accepted_at = a.at,
    due_at = CASE WHEN d.status IN (%(sending)s, %(accepted)s, %(sent)s) THEN a.due_at ELSE d.due_at END
  FROM locked a WHERE d.id = a.id RETURNING d.id, a.message_id, a.at
), events AS (
  INSERT INTO otp_deliveryevent (delivery_id, status, provider_message_id, occurred_at, recorded_at)
  SELECT id, %(accepted)s, message_id, at, at FROM accepted ON CONFLICT DO NOTHING
)
SELECT id FROM accepted
