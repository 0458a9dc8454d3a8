-- The reports of a batch, one row for every sender that it may be of. A column in which all say the same comes as an array
-- of one. The arrays are subqueries, so that the planner does not count them: with a thousand it would read the whole table.
WITH report AS (
  SELECT COALESCE(sender_id, (SELECT %(sender_ids)s::uuid[])[1]) AS sender_id, delivery_id, message_id,
    COALESCE(status, (SELECT %(statuses)s::smallint[])[1]) AS status,
    to_timestamp(COALESCE(at, (SELECT %(times)s::float8[])[1])) AS at,
    COALESCE(reason, (SELECT %(reasons)s::text[])[1]) AS reason, COALESCE(code, (SELECT %(codes)s::text[])[1]) AS code,
    COALESCE(category, (SELECT %(categories)s::text[])[1]) AS category
  FROM unnest((SELECT %(sender_ids)s::uuid[]), (SELECT %(delivery_ids)s::uuid[]), (SELECT %(message_ids)s::text[]),
    (SELECT %(statuses)s::smallint[]), (SELECT %(times)s::float8[]), (SELECT %(reasons)s::text[]),
    (SELECT %(codes)s::text[]), (SELECT %(categories)s::text[]))
    AS report(sender_id, delivery_id, message_id, status, at, reason, code, category)
)
