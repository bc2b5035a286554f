-- Requests that were carried out.
SELECT request.scope_id, request.firm_id, request.request_id, request.digest, request.outcome,
    request.expires_at
FROM jsonb_each($1) AS wanted
CROSS JOIN request ON request.scope_id = wanted.value ->> 0 AND request.firm_id = wanted.value ->> 1
    AND request.request_id = wanted.value ->> 2
