-- Reports that name a delivery by our id, each another: nothing to look for, to sort and to choose from.
-- One that raises the status was never recorded before, or the status would have been raised then. So its event cannot
-- be there, and is written without asking for it, which takes a fifth less than to be ready for a conflict. Where
-- somebody has lowered a status by hand the statement fails, and record_any.sql takes its place.
, matched AS (
  SELECT d.id, d.status AS was, r.message_id, r.status, r.at, r.reason, r.code, r.category
  FROM report r JOIN otp_delivery d ON d.id = r.delivery_id AND d.sender_id = r.sender_id
  ORDER BY d.id FOR NO KEY UPDATE OF d
), events AS (
  INSERT INTO otp_deliveryevent
  (delivery_id, status, reason, provider_code, provider_message_id, occurred_at, recorded_at)
  SELECT id, status, reason, code, message_id, at, %(now)s FROM matched WHERE status > was
), repeated AS (
  INSERT INTO otp_deliveryevent
  (delivery_id, status, reason, provider_code, provider_message_id, occurred_at, recorded_at)
  SELECT id, status, reason, code, message_id, at, %(now)s FROM matched WHERE status <= was
  ON CONFLICT (delivery_id, NULLIF(provider_message_id, ''), status) DO NOTHING
), best AS (
  SELECT * FROM matched
)
