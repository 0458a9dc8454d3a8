-- Reports that name a delivery by our id, each another: those that raise its status, which are nearly all.
-- The update looks for them, waits for others and takes their locks by itself, in the order of the arrays: sorted, so that
-- two batches about the same messages wait for each other.
, best AS (
  SELECT delivery_id AS id, * FROM report
)
