-- Stores a secret unless there is one of that name.
INSERT INTO secret (name, value)
VALUES ($1, $2)
ON CONFLICT (name) DO NOTHING
