-- Adds entries.
INSERT INTO journal (scope_id, sequence, recorded_at, firm, actor, origin, record_kind, record_id,
    event_type, event_version, payload, previous_hash, hash, previous_sequence)
SELECT * FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[],
    $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bytea[], $12::bytea[], $13::bytea[],
    $14::bigint[])
