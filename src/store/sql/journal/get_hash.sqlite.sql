-- Hashes of entries.
SELECT journal.scope_id, journal.sequence, journal.hash
FROM jsonb_each($1) AS wanted
CROSS JOIN journal ON journal.scope_id = wanted.value ->> 0 AND journal.sequence = wanted.value ->> 1
