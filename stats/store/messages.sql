-- The messages of the hour's challenges, each with the cause of the next one, and whether any of them was an SMS.
WITH message AS (
  SELECT d.id, c.project_id, c.country, c.purpose, d.channel, COALESCE(s.provider, '') AS provider, d.sender_id, d.cause,
    d.status, CASE WHEN d.status IN ({expired}, {failed}) THEN d.reason ELSE '' END AS reason,
    d.price_category, d.price_micros, d.price_currency, d.created_at, c.created_at AS started_at, c.verified_at,
    CASE WHEN d.accepted_at IS NOT NULL OR d.status IN ({accepted}, {sent}, {delivered}, {read}) THEN 1 ELSE 0 END AS is_accepted,
    CASE WHEN d.status >= {delivered} THEN 1 ELSE 0 END AS is_delivered,
    LEAD(d.cause) OVER (PARTITION BY d.challenge_id ORDER BY d.created_at, d.id) AS next_cause,
    MAX(CASE WHEN d.channel = %(sms)s THEN 1 ELSE 0 END) OVER (PARTITION BY d.challenge_id) AS has_sms
  FROM otp_challenge c JOIN otp_delivery d ON d.challenge_id = c.id LEFT JOIN channels_sender s ON s.id = d.sender_id
  WHERE c.id >= %(first)s AND c.id < %(last)s AND NOT c.is_test
)
