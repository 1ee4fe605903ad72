-- With the text that is searched, so that a search looks at the index alone until it has found something.
DROP INDEX sessions_newest;
CREATE INDEX sessions_newest ON sessions (updated_at_ms DESC, key, search);
