-- What a reference state directory brings beside sessions and entries.

-- The first line of a transcript and the name of its file, for the export; by session id, or by session id, kind and
-- time for one that was put away.
CREATE TABLE transcripts (id TEXT PRIMARY KEY, record TEXT NOT NULL, owner TEXT, fence INTEGER NOT NULL DEFAULT 0) STRICT;

-- Lines of the run log of cron jobs; ``id`` is a hash of the line, so that none stands there twice.
CREATE TABLE cron_runs (
    job_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    ts_ms INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (job_id, number)
) STRICT;
CREATE UNIQUE INDEX cron_runs_by_id ON cron_runs (job_id, id);
