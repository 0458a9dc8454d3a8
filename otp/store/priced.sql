-- Prices that a provider told of messages of these senders. One that is stored stays; a second worker with the same page
-- waits for the first and changes nothing. Rows are locked in the order of their keys, as those of reports are.
WITH price AS (
  SELECT message_id, micros, currency
  FROM unnest(%(message_ids)s::text[], %(micros)s::bigint[], %(currencies)s::text[]) AS price(message_id, micros, currency)
), unpriced AS (
  SELECT d.id, price.micros, price.currency FROM price JOIN otp_delivery d
    ON d.provider_message_id = price.message_id AND d.provider_message_id <> ''
  WHERE d.sender_id = ANY(%(senders)s::uuid[]) AND d.price_micros IS NULL
  ORDER BY d.id FOR NO KEY UPDATE OF d
)
UPDATE otp_delivery d SET price_micros = unpriced.micros, price_currency = unpriced.currency
FROM unpriced WHERE d.id = unpriced.id
