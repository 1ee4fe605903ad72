-- Whether anybody has a large body is found without looking at all entries.
CREATE INDEX entries_body ON entries (body_hash) WHERE body_hash IS NOT NULL;
CREATE INDEX archived_entries_body ON archived_entries (body_hash) WHERE body_hash IS NOT NULL;
