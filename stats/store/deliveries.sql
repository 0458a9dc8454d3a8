-- WhatsApp bills what arrived, SMS what was accepted, and neither what the provider calls free.
INSERT INTO stats_deliveryrollup (hour, project_id, country, channel, provider, sender_id, cause, reason, category,
  currency, messages, accepted, delivered, failed, fallbacks, verified, instead_of_sms, priced, cost_micros, unpriced)
SELECT %(hour)s, project_id, country, channel, provider, sender_id, cause, reason, price_category,
  price_currency, count(*), sum(is_accepted), sum(is_delivered),
  sum(CASE WHEN status = {failed} THEN 1 ELSE 0 END),
  sum(CASE WHEN next_cause = %(fallback)s THEN 1 ELSE 0 END),
  sum(CASE WHEN next_cause IS NULL AND verified_at IS NOT NULL AND purpose <> %(test_message)s THEN 1 ELSE 0 END),
  sum(CASE WHEN channel = %(whatsapp)s AND is_delivered = 1 AND has_sms = 0 THEN 1 ELSE 0 END),
  sum(CASE WHEN price_micros IS NOT NULL THEN 1 ELSE 0 END),
  COALESCE(sum(price_micros), 0),
  sum(CASE WHEN price_micros IS NOT NULL OR price_category = %(free)s THEN 0
    WHEN channel = %(whatsapp)s THEN is_delivered ELSE is_accepted END)
FROM message
GROUP BY project_id, country, channel, provider, sender_id, cause, reason, price_category, price_currency
