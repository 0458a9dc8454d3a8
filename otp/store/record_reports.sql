-- The reports of a batch, one row for every sender that it may be of. An array that ends before the others has "" there.
-- The arrays are subqueries, so that the planner does not count them: with a thousand it would read the whole table.
WITH report AS (
  SELECT sender_id, delivery_id, message_id, status, to_timestamp(at) AS at, COALESCE(reason, '') AS reason,
    COALESCE(code, '') AS code, COALESCE(category, '') AS category
  FROM unnest((SELECT %(sender_ids)s::uuid[]), (SELECT %(delivery_ids)s::uuid[]), (SELECT %(message_ids)s::text[]),
    (SELECT %(statuses)s::smallint[]), (SELECT %(times)s::float8[]), (SELECT %(reasons)s::text[]),
    (SELECT %(codes)s::text[]), (SELECT %(categories)s::text[]))
    AS report(sender_id, delivery_id, message_id, status, at, reason, code, category)
)
