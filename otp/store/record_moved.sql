-- The statuses that reports raise. Of each delivery `best` has the report that raises it furthest (record_raised.sql,
-- record_any.sql). A report may change a delivery only of a sender whose secret signed it.
-- What a message is billed as comes with some of its reports: any of a batch that raises the status may say it.
-- Meta writes whole seconds: a status was not reached before its message was accepted.
, moved AS (
  UPDATE otp_delivery d SET
  status = b.status, status_at = LEAST(GREATEST(b.at, COALESCE(d.accepted_at, d.created_at)), %(now)s),
  reason = b.reason, provider_code = b.code,
  price_category = CASE WHEN b.category = '' THEN d.price_category ELSE b.category END,
  provider_message_id = CASE WHEN d.provider_message_id = '' THEN b.message_id ELSE d.provider_message_id END,
  due_at = CASE WHEN b.status >= %(delivered)s THEN NULL WHEN b.status = %(failed)s THEN %(now)s ELSE d.due_at END
  FROM best b WHERE d.id = b.id AND d.sender_id = b.sender_id AND d.status < b.status
  RETURNING d.id, d.challenge_id, d.channel, d.sender_id, d.status, d.reason, d.provider_code, d.status_at,
    d.template_language, b.message_id, b.at
)
