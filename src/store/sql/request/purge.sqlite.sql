-- Forgets requests that expired, the oldest first.
DELETE FROM request
WHERE (scope_id, firm_id, request_id) IN (
    SELECT scope_id, firm_id, request_id
    FROM request
    WHERE expires_at < $1
    ORDER BY expires_at, scope_id, firm_id, request_id
    LIMIT $2
)
