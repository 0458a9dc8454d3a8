WITH old AS (
  SELECT id FROM otp_phonerecord WHERE updated_at < %(before)s ORDER BY updated_at LIMIT %(batch)s
  FOR UPDATE SKIP LOCKED
), deleted AS (
  DELETE FROM otp_phonerecord r USING old WHERE r.id = old.id RETURNING 1
)
SELECT count(*) FROM deleted
