-- Time zone data by scope and digest.
SELECT zone.scope_id, zone.digest, zone.tzif
FROM jsonb_each($1) AS wanted
CROSS JOIN zone ON zone.scope_id = wanted.value ->> 0 AND zone.digest = wanted.value ->> 1
