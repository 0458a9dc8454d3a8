-- Any reports: some without our id of the delivery, several about one, late and repeated ones.
-- Rows are locked in the order of their keys, so that two batches about the same messages wait for each other and never
-- deadlock; and only of what is locked is an event written, so that a delivery which is purged meanwhile leaves none.
-- Rows are locked by a query of their table alone: one that another batch has changed meanwhile is looked at again, and
-- where it is joined with a UNION that second look loses it (0151).
, named AS (
  SELECT delivery_id AS id, * FROM report WHERE delivery_id IS NOT NULL
  UNION ALL
  SELECT d.id, r.* FROM report r JOIN otp_delivery d
    ON d.provider_message_id = r.message_id AND d.provider_message_id <> '' AND d.sender_id = r.sender_id
    WHERE r.delivery_id IS NULL
), locked AS (
  SELECT id, sender_id FROM otp_delivery WHERE id = ANY(ARRAY(SELECT id FROM named)) ORDER BY id FOR NO KEY UPDATE
), matched AS (
  SELECT d.id, d.sender_id, n.message_id, n.status, n.at, n.reason, n.code, n.category
  FROM named n JOIN locked d ON d.id = n.id AND d.sender_id = n.sender_id
), events AS (
  INSERT INTO otp_deliveryevent
  (delivery_id, status, reason, provider_code, provider_message_id, occurred_at, recorded_at)
  SELECT DISTINCT ON (id, message_id, status) id, status, reason, code, message_id, at, %(now)s
  FROM matched ORDER BY id, message_id, status, at
  ON CONFLICT (delivery_id, NULLIF(provider_message_id, ''), status) DO NOTHING
), best AS (
  SELECT DISTINCT ON (id) id, sender_id, message_id, status, at, reason, code,
    max(category) OVER (PARTITION BY id) AS category
  FROM matched ORDER BY id, status DESC, at
)
