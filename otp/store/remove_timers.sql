-- One that another sweep holds is left: it removes or moves it, or the next one does. Nobody waits for anybody.
DELETE FROM otp_timer WHERE ctid = ANY(ARRAY(
  SELECT t.ctid FROM unnest(%(times)s::timestamptz[], %(ids)s::uuid[]) AS key(at, id)
  JOIN otp_timer t ON t.at = key.at AND t.delivery_id = key.id FOR UPDATE OF t SKIP LOCKED
))
