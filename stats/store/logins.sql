-- Logins by project and country. Test numbers and operators' test messages are no logins.
INSERT INTO stats_loginrollup (hour, project_id, country, started, verified, fell_back)
SELECT %(hour)s, c.project_id, c.country, count(*),
  sum(CASE WHEN c.verified_at IS NOT NULL THEN 1 ELSE 0 END),
  sum(CASE WHEN EXISTS (SELECT 1 FROM otp_delivery d WHERE d.challenge_id = c.id AND d.cause = %(fallback)s)
    THEN 1 ELSE 0 END)
FROM otp_challenge c
WHERE c.id >= %(first)s AND c.id < %(last)s AND NOT c.is_test AND c.purpose <> %(test_message)s
GROUP BY c.project_id, c.country
