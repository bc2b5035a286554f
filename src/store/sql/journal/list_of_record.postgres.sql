-- Entries that changed one record: from its last one back, each names the one before it.
-- OFFSET 0 makes PostgreSQL take one entry after the other, whatever it knows of the table.
WITH RECURSIVE history (sequence, previous_sequence) AS (
    SELECT last.sequence, last.previous_sequence
    FROM record
    CROSS JOIN LATERAL (
        SELECT sequence, previous_sequence
        FROM journal
        WHERE journal.scope_id = $1 AND journal.sequence = record.sequence
        OFFSET 0
    ) AS last
    WHERE record.scope_id = $1 AND record.kind = $2 AND record.id = $3
    UNION ALL
    SELECT earlier.sequence, earlier.previous_sequence
    FROM history
    CROSS JOIN LATERAL (
        SELECT sequence, previous_sequence
        FROM journal
        WHERE journal.scope_id = $1 AND journal.sequence = history.previous_sequence
        OFFSET 0
    ) AS earlier
    WHERE history.previous_sequence > $4
)
SELECT found.*
FROM (SELECT sequence FROM history WHERE sequence > $4 ORDER BY sequence LIMIT $5) AS page
CROSS JOIN LATERAL (
    SELECT scope_id, sequence, recorded_at, firm, actor, origin, record_kind, record_id,
        event_type, event_version, payload, previous_hash, hash, previous_sequence
    FROM journal
    WHERE journal.scope_id = $1 AND journal.sequence = page.sequence
    OFFSET 0
) AS found
ORDER BY found.sequence
