-- Keys carry their time, so the oldest rows are found without reading the young ones. A challenge goes with all its
-- children; one that is locked (a late report) stays until the next time.
WITH old AS (
  SELECT id FROM otp_challenge WHERE id < %(before)s ORDER BY id LIMIT %(batch)s FOR UPDATE SKIP LOCKED
), deliveries AS (
  DELETE FROM otp_delivery d USING old WHERE d.challenge_id = old.id RETURNING d.id
), events AS (
  DELETE FROM otp_deliveryevent e USING deliveries d WHERE e.delivery_id = d.id
), deleted AS (
  DELETE FROM otp_challenge c USING old WHERE c.id = old.id RETURNING 1
)
SELECT count(*) FROM deleted
