-- Records by key.
SELECT record.scope_id, record.kind, record.id, record.revision, record.sequence, record.state, record.due_at,
    record.created_at, record.updated_at, record.body_version, record.body
FROM jsonb_each($1) AS wanted
CROSS JOIN record ON record.scope_id = wanted.value ->> 0 AND record.kind = wanted.value ->> 1
    AND record.id = wanted.value ->> 2
