-- What ended long ago is found without looking at what did not.
CREATE INDEX runs_ended ON runs (ended_at_ms, run_id) WHERE state IN ('ok', 'error', 'aborted', 'interrupted');
CREATE INDEX outbox_delivered ON outbox (delivered_at_ms, id) WHERE delivered_at_ms IS NOT NULL;
