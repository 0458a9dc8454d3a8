-- Endpoints that were deleted or switched off meanwhile get nothing: no reason for a login to fail. The lock keeps one
-- that is there until the event is committed; it is the lock of every foreign key.
INSERT INTO events_event (id, endpoint_id, type, body, created_at, due_at, tries, delivered_at, outcome)
SELECT e.id, p.id, %(type)s, e.body, %(now)s, %(now)s, 0, NULL, ''
FROM json_to_recordset(%(events)s::json) AS e(id uuid, endpoint_id uuid, body text)
JOIN events_endpoint p ON p.id = e.endpoint_id WHERE p.is_active FOR KEY SHARE OF p
