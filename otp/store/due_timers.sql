-- The freshest timers whose time has come. One of a delivery that is done, or gone, is removed; one whose delivery is due
-- later is moved there; the others are given, with how many were settled so. What another sweep settles is passed over.
-- Rows are looked up one by one and by `ctid`: the planner does not know how many timers have gone off.
WITH fired AS MATERIALIZED (
  SELECT t.*, d.due_at FROM (
    SELECT ctid AS row, at, delivery_id FROM otp_timer WHERE at <= %(now)s ORDER BY at DESC LIMIT {looked_at}
  ) t LEFT JOIN LATERAL (SELECT due_at FROM otp_delivery WHERE id = t.delivery_id OFFSET 0) d ON true
), settled AS (
  DELETE FROM otp_timer WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM otp_timer WHERE ctid = ANY(ARRAY(SELECT row FROM fired WHERE due_at IS NULL OR due_at > %(now)s))
    FOR UPDATE SKIP LOCKED
  )) RETURNING at, delivery_id
), moved AS (
  INSERT INTO otp_timer (at, delivery_id) SELECT f.due_at, f.delivery_id FROM settled JOIN fired f USING (at, delivery_id)
  WHERE f.due_at IS NOT NULL ORDER BY f.due_at, f.delivery_id ON CONFLICT DO NOTHING
)
SELECT s.settled, f.at, f.delivery_id FROM (SELECT count(*) AS settled FROM settled) s
LEFT JOIN fired f ON f.due_at <= %(now)s
