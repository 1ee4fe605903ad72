-- What the gateway remembers. Ids are our own; no table relies on rowids. Times are milliseconds since the epoch.
-- ``owner`` and ``fence`` say which gateway may change a row, for the day when several share one database.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE sessions (
    key TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    label TEXT,
    spawned_by TEXT,
    search TEXT NOT NULL,
    members TEXT NOT NULL,
    owner TEXT,
    fence INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX sessions_newest ON sessions (updated_at_ms DESC, key);
CREATE INDEX sessions_newest_of_agent ON sessions (agent_id, updated_at_ms DESC, key);
CREATE INDEX sessions_by_session_id ON sessions (session_id);
CREATE INDEX sessions_by_label ON sessions (label) WHERE label IS NOT NULL;
CREATE INDEX sessions_by_spawner ON sessions (spawned_by, updated_at_ms DESC, key) WHERE spawned_by IS NOT NULL;

-- So that a count costs the same however many sessions there are.
CREATE TABLE session_counts (
    agent_id TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT;

CREATE TABLE entries (
    session_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    parent_id TEXT,
    type TEXT NOT NULL,
    role TEXT,
    timestamp_ms INTEGER NOT NULL,
    run_id TEXT,
    body TEXT,
    body_hash TEXT,
    PRIMARY KEY (session_id, number),
    CHECK ((body IS NULL) <> (body_hash IS NULL))
) STRICT;
CREATE UNIQUE INDEX entries_by_id ON entries (session_id, id);
CREATE INDEX entries_of_type ON entries (session_id, type, number);

-- Entries of deleted sessions, out of every listing.
CREATE TABLE archived_entries (
    session_id TEXT NOT NULL,
    archived_at_ms INTEGER NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    parent_id TEXT,
    type TEXT NOT NULL,
    role TEXT,
    timestamp_ms INTEGER NOT NULL,
    run_id TEXT,
    body TEXT,
    body_hash TEXT,
    PRIMARY KEY (session_id, archived_at_ms, number)
) STRICT;

CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    session_key TEXT NOT NULL,
    session_id TEXT NOT NULL,
    state TEXT NOT NULL,
    origin TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    inbound TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    started_at_ms INTEGER,
    ended_at_ms INTEGER,
    outcome TEXT,
    seen INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    fence INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX runs_by_dedupe_key ON runs (dedupe_key, created_at_ms);
CREATE INDEX runs_unfinished ON runs (created_at_ms, run_id)
    WHERE state NOT IN ('ok', 'error', 'aborted', 'interrupted');

CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    ok INTEGER NOT NULL,
    payload TEXT NOT NULL,
    error TEXT,
    written_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX answers_oldest ON answers (written_at_ms, key);

CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    session_key TEXT NOT NULL,
    run_id TEXT,
    channel TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    delivered_at_ms INTEGER,
    owner TEXT,
    fence INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_waiting ON outbox (created_at_ms, id) WHERE delivered_at_ms IS NULL;

CREATE TABLE devices (id TEXT PRIMARY KEY, record TEXT NOT NULL, owner TEXT, fence INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE device_requests (id TEXT PRIMARY KEY, record TEXT NOT NULL, owner TEXT, fence INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE nodes (id TEXT PRIMARY KEY, record TEXT NOT NULL, owner TEXT, fence INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE node_requests (id TEXT PRIMARY KEY, record TEXT NOT NULL, owner TEXT, fence INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE cron_jobs (id TEXT PRIMARY KEY, record TEXT NOT NULL, owner TEXT, fence INTEGER NOT NULL DEFAULT 0) STRICT;

-- Which state directories were imported, so that each is imported once.
CREATE TABLE imports (
    source TEXT PRIMARY KEY,
    imported_at_ms INTEGER NOT NULL,
    report TEXT NOT NULL
) STRICT;
