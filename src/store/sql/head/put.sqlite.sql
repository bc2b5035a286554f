-- Moves heads on. A head that would not move forward is left alone, and the row count tells.
INSERT INTO head (scope_id, sequence, hash, recorded_at)
SELECT added.value ->> 0, added.value ->> 1, unhex(added.value ->> 2), added.value ->> 3
FROM jsonb_each($1) AS added
WHERE true
ON CONFLICT (scope_id) DO UPDATE
SET sequence = excluded.sequence, hash = excluded.hash, recorded_at = excluded.recorded_at
WHERE head.sequence < excluded.sequence
