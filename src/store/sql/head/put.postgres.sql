-- Moves heads on. A head that would not move forward is left alone, and the row count tells.
INSERT INTO head (scope_id, sequence, hash, recorded_at)
SELECT * FROM UNNEST($1::text[], $2::bigint[], $3::bytea[], $4::bigint[])
ON CONFLICT (scope_id) DO UPDATE
SET sequence = excluded.sequence, hash = excluded.hash, recorded_at = excluded.recorded_at
WHERE head.sequence < excluded.sequence
