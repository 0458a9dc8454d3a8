-- How long it took until a message arrived, by its first report of that, and until a login succeeded, under its last
-- message.
INSERT INTO stats_timingrollup (hour, project_id, channel, provider, measure, bucket, count)
SELECT %(hour)s, project_id, channel, provider, measure, {bucket}, count(*)
FROM (
  SELECT project_id, channel, provider, %(delivered)s AS measure,
    {seconds from created_at to (SELECT min(e.occurred_at) FROM otp_deliveryevent e
      WHERE e.delivery_id = message.id AND e.status >= {delivered})} AS seconds
  FROM message WHERE is_delivered = 1
  UNION ALL
  SELECT project_id, channel, provider, %(verified)s AS measure, {seconds from started_at to verified_at} AS seconds
  FROM message WHERE next_cause IS NULL AND verified_at IS NOT NULL AND purpose <> %(test_message)s
) durations
WHERE seconds IS NOT NULL
GROUP BY project_id, channel, provider, measure, {bucket}
