-- Entries that changed one record: from its last one back, each names the one before it.
WITH RECURSIVE history (sequence, previous_sequence) AS (
    SELECT journal.sequence, journal.previous_sequence
    FROM record
    CROSS JOIN journal ON journal.scope_id = record.scope_id AND journal.sequence = record.sequence
    WHERE record.scope_id = $1 AND record.kind = $2 AND record.id = $3
    UNION ALL
    SELECT journal.sequence, journal.previous_sequence
    FROM history
    CROSS JOIN journal ON journal.scope_id = $1 AND journal.sequence = history.previous_sequence
    WHERE history.previous_sequence > $4
)
SELECT journal.scope_id, journal.sequence, recorded_at, firm, actor, origin, record_kind, record_id,
    event_type, event_version, payload, previous_hash, hash, journal.previous_sequence
FROM (SELECT sequence FROM history WHERE sequence > $4 ORDER BY sequence LIMIT $5) AS page
CROSS JOIN journal ON journal.scope_id = $1 AND journal.sequence = page.sequence
ORDER BY journal.sequence
