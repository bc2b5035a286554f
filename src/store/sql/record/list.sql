-- Records of a kind.
SELECT scope_id, kind, id, revision, sequence, state, due_at, created_at, updated_at, body_version, body
FROM record
WHERE scope_id = $1 AND kind = $2 AND id > $3
ORDER BY id
LIMIT $4
