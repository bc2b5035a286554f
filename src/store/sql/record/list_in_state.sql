-- Records of a kind in one state.
SELECT scope_id, kind, id, revision, sequence, state, due_at, created_at, updated_at, body_version, body
FROM record
WHERE scope_id = $1 AND kind = $2 AND state = $3 AND id > $4
ORDER BY id
LIMIT $5
