-- Adds entries.
INSERT INTO journal (scope_id, sequence, recorded_at, firm, actor, origin, record_kind, record_id,
    event_type, event_version, payload, previous_hash, hash, previous_sequence)
SELECT added.value ->> 0, added.value ->> 1, added.value ->> 2, added.value ->> 3,
    added.value ->> 4, added.value ->> 5, added.value ->> 6, added.value ->> 7, added.value ->> 8,
    added.value ->> 9, unhex(added.value ->> 10), unhex(added.value ->> 11),
    unhex(added.value ->> 12), added.value ->> 13
FROM jsonb_each($1) AS added
