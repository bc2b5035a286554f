-- Heads of the scopes named.
SELECT head.scope_id, head.sequence, head.hash, head.recorded_at
FROM jsonb_each($1) AS wanted
CROSS JOIN head ON head.scope_id = wanted.value ->> 0
