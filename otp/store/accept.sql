-- The provider took the message. A report may have come first: the status only climbs, and then the timer stays.
WITH accepted AS (
  UPDATE otp_delivery SET
    status = GREATEST(status, %(accepted)s),
    status_at = CASE WHEN status < %(accepted)s THEN %(at)s ELSE status_at END,
    provider_message_id = CASE WHEN %(message_id)s <> '' THEN %(message_id)s ELSE provider_message_id END,
    template_language = %(template_language)s,
    accepted_at = %(at)s,
    due_at = CASE WHEN status IN (%(sending)s, %(accepted)s, %(sent)s) THEN %(due_at)s ELSE due_at END
  WHERE id = %(id)s RETURNING id
)
INSERT INTO otp_deliveryevent (delivery_id, status, provider_message_id, occurred_at, recorded_at)
SELECT id, %(accepted)s, %(message_id)s, %(at)s, %(at)s FROM accepted ON CONFLICT DO NOTHING
