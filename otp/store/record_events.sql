-- The events of what record_raised.sql raised. A report that raises the status was never recorded before, or the status
-- would have been raised then. So its event cannot be there, and is written without asking for it, which takes a fifth less
-- than to be ready for a conflict. Where somebody has lowered a status by hand the statement fails.
, events AS (
  INSERT INTO otp_deliveryevent
  (delivery_id, status, reason, provider_code, provider_message_id, occurred_at, recorded_at)
  SELECT id, status, reason, provider_code, message_id, at, %(now)s FROM moved
)
