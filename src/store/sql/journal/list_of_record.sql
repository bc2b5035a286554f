-- Entries that changed one record.
SELECT scope_id, sequence, recorded_at, firm, actor, origin, record_kind, record_id, event_type,
    event_version, payload, previous_hash, hash
FROM journal
WHERE scope_id = $1 AND record_kind = $2 AND record_id = $3 AND sequence > $4
ORDER BY sequence
LIMIT $5
