-- Makes the heads that are missing.
INSERT INTO head (scope_id, sequence, hash, recorded_at)
SELECT added.value ->> 0, added.value ->> 1, unhex(added.value ->> 2), added.value ->> 3
FROM jsonb_each($1) AS added
WHERE true
ON CONFLICT (scope_id) DO NOTHING
