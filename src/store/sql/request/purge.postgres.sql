-- Forgets requests that expired, the oldest first; leaves those alone that another replica forgets.
DELETE FROM request
WHERE ctid = ANY (ARRAY(
    SELECT ctid
    FROM request
    WHERE expires_at < $1
    ORDER BY expires_at, scope_id, firm_id, request_id
    LIMIT $2
    FOR UPDATE SKIP LOCKED
))
