-- The first schema, for PostgreSQL 15 and later. Its twin for SQLite has the same tables, columns and
-- names; a test compares the two.
--
-- Common to all tables: text that is a key or is ordered by compares bytewise (COLLATE "C"); time is
-- a whole number of microseconds since 1970 in UTC, given by the program; a scope is `firms/{firm}`
-- or `partnerships/{partnership}`.

-- Where the chain of each scope ends. A batch holds the head of every scope that it writes.
CREATE TABLE head (
    scope_id    TEXT COLLATE "C" NOT NULL,
    -- Last position, hash and time; 0, 32 zero bytes and 0 before the first entry.
    sequence    BIGINT           NOT NULL,
    hash        BYTEA            NOT NULL,
    recorded_at BIGINT           NOT NULL,
    CONSTRAINT head_key PRIMARY KEY (scope_id),
    CONSTRAINT head_scope_id_not_empty CHECK (scope_id <> ''),
    CONSTRAINT head_sequence_not_negative CHECK (sequence >= 0),
    CONSTRAINT head_hash_length CHECK (octet_length(hash) = 32)
) WITH (
    -- Every batch replaces rows here: room on the page keeps a new version next to the old one, and
    -- vacuum comes by early.
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);

-- Every event that ever happened, in one chain for each scope. Rows are added, never changed and
-- never removed: the triggers below see to it.
CREATE TABLE journal (
    -- Where the entry stands in which chain, and when it was written there.
    scope_id      TEXT COLLATE "C" NOT NULL,
    sequence      BIGINT           NOT NULL,
    recorded_at   BIGINT           NOT NULL,
    -- On whose behalf, with which credential, in which software; empty where nobody acted.
    firm          TEXT             NOT NULL,
    actor         TEXT             NOT NULL,
    origin        TEXT             NOT NULL,
    -- Which record changed.
    record_kind   TEXT COLLATE "C" NOT NULL,
    record_id     TEXT COLLATE "C" NOT NULL,
    -- What happened. The hash covers exactly the bytes of the payload.
    event_type    TEXT             NOT NULL,
    event_version BIGINT           NOT NULL,
    payload       BYTEA            NOT NULL,
    -- The links of the chain.
    previous_hash BYTEA            NOT NULL,
    hash          BYTEA            NOT NULL,
    -- The entry that changed the same record before, NULL for its first one: the record names the
    -- last, so its history is found without an index, into which every entry would have to write.
    previous_sequence BIGINT,
    CONSTRAINT journal_key PRIMARY KEY (scope_id, sequence),
    CONSTRAINT journal_scope_id_not_empty CHECK (scope_id <> ''),
    CONSTRAINT journal_sequence_positive CHECK (sequence >= 1),
    CONSTRAINT journal_record_kind_not_empty CHECK (record_kind <> ''),
    CONSTRAINT journal_event_type_not_empty CHECK (event_type <> ''),
    CONSTRAINT journal_event_version_positive CHECK (event_version >= 1),
    CONSTRAINT journal_previous_sequence_range CHECK (previous_sequence >= 1 AND previous_sequence < sequence),
    CONSTRAINT journal_previous_hash_length CHECK (octet_length(previous_hash) = 32),
    CONSTRAINT journal_hash_length CHECK (octet_length(hash) = 32)
) PARTITION BY HASH (scope_id);

CREATE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'restrict_violation';
END;
$$;

CREATE TRIGGER journal_refuse_update BEFORE UPDATE ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_refuse();
CREATE TRIGGER journal_refuse_delete BEFORE DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_refuse();
CREATE TRIGGER journal_refuse_truncate BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();

-- Sixteen partitions keep each index small and let vacuum work on a part. The triggers for rows come
-- with each partition; the one for TRUNCATE does not.
DO $$
BEGIN
    FOR part IN 0..15 LOOP
        EXECUTE format(
            'CREATE TABLE journal_%s PARTITION OF journal FOR VALUES WITH (MODULUS 16, REMAINDER %s)',
            lpad(part::text, 2, '0'), part);
        EXECUTE format(
            'CREATE TRIGGER journal_refuse_truncate BEFORE TRUNCATE ON journal_%s '
            'FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse()',
            lpad(part::text, 2, '0'));
    END LOOP;
END;
$$;

-- The latest state of every record; it can be rebuilt from the journal.
CREATE TABLE record (
    scope_id     TEXT COLLATE "C" NOT NULL,
    kind         TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    -- How often it changed, from 1, and by which entry of the journal last.
    revision     BIGINT           NOT NULL,
    sequence     BIGINT           NOT NULL,
    -- What lists filter by.
    state        TEXT COLLATE "C" NOT NULL,
    -- When something will happen by itself; only a hint for the sweeper.
    due_at       BIGINT,
    created_at   BIGINT           NOT NULL,
    updated_at   BIGINT           NOT NULL,
    -- The state as JSON, and the version of its shape.
    body_version BIGINT           NOT NULL,
    body         TEXT             NOT NULL,
    CONSTRAINT record_key PRIMARY KEY (scope_id, kind, id),
    CONSTRAINT record_scope_id_not_empty CHECK (scope_id <> ''),
    CONSTRAINT record_kind_not_empty CHECK (kind <> ''),
    CONSTRAINT record_id_not_empty CHECK (id <> ''),
    CONSTRAINT record_revision_positive CHECK (revision >= 1),
    CONSTRAINT record_sequence_positive CHECK (sequence >= 1),
    CONSTRAINT record_body_version_positive CHECK (body_version >= 1),
    CONSTRAINT record_body_size CHECK (octet_length(body) <= 4194304),
    CONSTRAINT record_body_json CHECK (body::json IS NOT NULL)
) WITH (
    -- Rows are replaced often: leave room on the page, and let vacuum come by early.
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.05
);

-- Lists of one state. The condition is always met; it keeps the index for statements that name a
-- state, for while a table is empty, all indexes that could serve a statement look alike to a planner.
CREATE INDEX record_by_state ON record (scope_id, kind, state, id) WHERE state IS NOT NULL;
-- What is due, across all scopes.
CREATE INDEX record_by_due_at ON record (due_at, scope_id, kind, id) WHERE due_at IS NOT NULL;

-- What an id in a firm's own software stands for. Within a scope it stands for one record of a kind
-- at most; across scopes it may stand for several.
CREATE TABLE reference (
    scope_id       TEXT COLLATE "C" NOT NULL,
    -- The id there: whose software, which product, which installation, which type of thing.
    firm_id        TEXT COLLATE "C" NOT NULL,
    system         TEXT COLLATE "C" NOT NULL,
    instance       TEXT COLLATE "C" NOT NULL,
    reference_type TEXT COLLATE "C" NOT NULL,
    external_id    TEXT COLLATE "C" NOT NULL,
    -- The record here.
    kind           TEXT COLLATE "C" NOT NULL,
    record_id      TEXT COLLATE "C" NOT NULL,
    CONSTRAINT reference_key PRIMARY KEY (scope_id, firm_id, system, instance, reference_type, external_id, kind),
    CONSTRAINT reference_scope_id_not_empty CHECK (scope_id <> ''),
    CONSTRAINT reference_kind_not_empty CHECK (kind <> ''),
    CONSTRAINT reference_record_id_not_empty CHECK (record_id <> '')
);

-- The look-up across scopes.
CREATE INDEX reference_by_external_id
    ON reference (firm_id, system, instance, reference_type, external_id, scope_id, kind, record_id);
-- The references of one record. The condition keeps the index for statements that name a record.
CREATE INDEX reference_by_record ON reference (scope_id, kind, record_id) WHERE record_id IS NOT NULL;

-- Requests that were carried out, so that a repeated one is answered and not carried out again.
CREATE TABLE request (
    scope_id   TEXT COLLATE "C" NOT NULL,
    firm_id    TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    -- Keyed digest of the request, to notice another request under the same id.
    digest     BYTEA            NOT NULL,
    -- As JSON: where the outcome stands in the journal, and which record it is about.
    outcome    TEXT             NOT NULL,
    -- When it may be forgotten; NULL for never.
    expires_at BIGINT,
    CONSTRAINT request_key PRIMARY KEY (scope_id, firm_id, request_id),
    CONSTRAINT request_scope_id_not_empty CHECK (scope_id <> ''),
    CONSTRAINT request_request_id_not_empty CHECK (request_id <> ''),
    CONSTRAINT request_digest_length CHECK (octet_length(digest) = 32),
    CONSTRAINT request_outcome_json CHECK (outcome::json IS NOT NULL)
);

-- What may be forgotten, the oldest first.
CREATE INDEX request_by_expires_at
    ON request (expires_at, scope_id, firm_id, request_id) WHERE expires_at IS NOT NULL;

-- Openings: the values that journal and records only commit to.
CREATE TABLE sealed (
    scope_id   TEXT COLLATE "C" NOT NULL,
    -- SHA-256 of the salted value, as hexadecimal digits.
    commitment TEXT COLLATE "C" NOT NULL,
    -- Which field it is of, and the value with its salt.
    label      TEXT             NOT NULL,
    value      TEXT             NOT NULL,
    salt       BYTEA            NOT NULL,
    -- As JSON: who may read it.
    readers    TEXT             NOT NULL,
    CONSTRAINT sealed_key PRIMARY KEY (scope_id, commitment),
    CONSTRAINT sealed_scope_id_not_empty CHECK (scope_id <> ''),
    CONSTRAINT sealed_commitment_not_empty CHECK (commitment <> ''),
    CONSTRAINT sealed_salt_length CHECK (octet_length(salt) = 16),
    CONSTRAINT sealed_readers_json CHECK (readers::json IS NOT NULL)
);

-- Time zone data that calendars pin.
CREATE TABLE zone (
    scope_id TEXT COLLATE "C" NOT NULL,
    -- SHA-256 of the bytes, as hexadecimal digits, and the bytes.
    digest   TEXT COLLATE "C" NOT NULL,
    tzif     BYTEA            NOT NULL,
    CONSTRAINT zone_key PRIMARY KEY (scope_id, digest),
    CONSTRAINT zone_scope_id_not_empty CHECK (scope_id <> ''),
    CONSTRAINT zone_digest_not_empty CHECK (digest <> '')
);

-- What callers prove themselves with.
CREATE TABLE credential (
    -- Its public identifier, whose it is, and what sort.
    id              TEXT COLLATE "C" NOT NULL,
    firm_id         TEXT COLLATE "C" NOT NULL,
    credential_type TEXT             NOT NULL,
    -- SHA-256 of the secret, which itself is nowhere; or of what is trusted instead of one.
    digest          BYTEA            NOT NULL,
    -- The digest before the last change, or else the same, and until when it is good as well.
    earlier_digest  BYTEA            NOT NULL,
    earlier_until   BIGINT,
    -- What it may do: names, separated by commas.
    permissions     TEXT             NOT NULL,
    -- When it stops working by itself, and when it was revoked.
    expires_at      BIGINT,
    revoked_at      BIGINT,
    -- When it was last used, to the hour; not journalled.
    last_used_at    BIGINT,
    CONSTRAINT credential_key PRIMARY KEY (id),
    CONSTRAINT credential_id_not_empty CHECK (id <> ''),
    CONSTRAINT credential_firm_id_not_empty CHECK (firm_id <> ''),
    CONSTRAINT credential_type_not_empty CHECK (credential_type <> ''),
    CONSTRAINT credential_digest_length CHECK (octet_length(digest) = 32),
    CONSTRAINT credential_earlier_digest_length CHECK (octet_length(earlier_digest) = 32)
);

-- Who is trusted is looked up by digest. The condition keeps the index for statements that name one.
CREATE INDEX credential_by_digest ON credential (digest, id) WHERE digest IS NOT NULL;

-- Which subscriptions there are, in all scopes, as their records say: where the deliverer begins.
CREATE TABLE subscription (
    scope_id TEXT COLLATE "C" NOT NULL,
    id       TEXT COLLATE "C" NOT NULL,
    -- `active` or `disabled`.
    state    TEXT NOT NULL,
    CONSTRAINT subscription_key PRIMARY KEY (scope_id, id),
    CONSTRAINT subscription_scope_id_not_empty CHECK (scope_id <> ''),
    CONSTRAINT subscription_id_not_empty CHECK (id <> '')
);

-- How far the posting of each journal to each subscription has come.
CREATE TABLE delivery (
    scope_id        TEXT COLLATE "C" NOT NULL,
    subscription_id TEXT COLLATE "C" NOT NULL,
    -- Whose entries: a scope.
    source_id       TEXT COLLATE "C" NOT NULL,
    -- The last entry that was posted or given up.
    sequence        BIGINT NOT NULL,
    -- How often the next one was tried.
    attempt_count   BIGINT NOT NULL,
    -- When it is tried next; while a replica is at it, when another one may take over.
    due_at          BIGINT NOT NULL,
    -- Since when nothing was taken, and why.
    failing_since   BIGINT,
    last_error      TEXT NOT NULL,
    -- Grows with every change, so that two replicas never both make one.
    version         BIGINT NOT NULL,
    CONSTRAINT delivery_key PRIMARY KEY (scope_id, subscription_id, source_id),
    CONSTRAINT delivery_scope_id_not_empty CHECK (scope_id <> ''),
    CONSTRAINT delivery_source_id_not_empty CHECK (source_id <> ''),
    CONSTRAINT delivery_sequence_not_negative CHECK (sequence >= 0)
);

-- Entries that a subscription's target did not take.
CREATE TABLE dead_letter (
    scope_id        TEXT COLLATE "C" NOT NULL,
    subscription_id TEXT COLLATE "C" NOT NULL,
    -- Which entry.
    source_id       TEXT COLLATE "C" NOT NULL,
    sequence        BIGINT NOT NULL,
    -- How often it was tried, why the last attempt failed, and when it was given up.
    attempt_count   BIGINT NOT NULL,
    last_error      TEXT NOT NULL,
    failed_at       BIGINT NOT NULL,
    -- When it is tried once more, if somebody asked for it.
    due_at          BIGINT,
    -- Grows with every change.
    version         BIGINT NOT NULL,
    CONSTRAINT dead_letter_key PRIMARY KEY (scope_id, subscription_id, source_id, sequence),
    CONSTRAINT dead_letter_scope_id_not_empty CHECK (scope_id <> ''),
    CONSTRAINT dead_letter_sequence_positive CHECK (sequence >= 1)
);

-- What is to be tried once more, the longest due first.
CREATE INDEX dead_letter_by_due_at
    ON dead_letter (due_at, scope_id, subscription_id, source_id, sequence) WHERE due_at IS NOT NULL;

-- The service's own secrets, such as the key of the requests' digests. Never part of an export.
CREATE TABLE secret (
    name  TEXT COLLATE "C" NOT NULL,
    value BYTEA            NOT NULL,
    CONSTRAINT secret_key PRIMARY KEY (name),
    CONSTRAINT secret_name_not_empty CHECK (name <> ''),
    CONSTRAINT secret_value_not_empty CHECK (octet_length(value) >= 1)
);
