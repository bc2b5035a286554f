-- Notes subscriptions, or what became of them.
INSERT INTO subscription (scope_id, id, state)
SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[])
ON CONFLICT (scope_id, id) DO UPDATE
SET state = excluded.state
