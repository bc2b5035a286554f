-- Entries of a scope.
SELECT scope_id, sequence, recorded_at, firm, actor, origin, record_kind, record_id, event_type,
    event_version, payload, previous_hash, hash, previous_sequence
FROM journal
WHERE scope_id = $1 AND sequence > $2
ORDER BY sequence
LIMIT $3
