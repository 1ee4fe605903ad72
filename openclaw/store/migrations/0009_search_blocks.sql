-- Sessions in blocks, each with the texts of its sessions in one, so that a search looks at a block and not at each session.
-- Nothing behind a zero was found before; in a block it would hide what belongs to others.
UPDATE sessions SET search = substr(search, 1, instr(search, char(0)) - 1) WHERE instr(search, char(0)) > 0;
UPDATE sessions SET search = replace(search, char(10), char(31)) WHERE instr(search, char(10)) > 0;
ALTER TABLE sessions ADD COLUMN block INTEGER;
UPDATE sessions SET block = number FROM
    (SELECT key AS numbered, (row_number() OVER (ORDER BY updated_at_ms, key) + 63) / 64 AS number FROM sessions)
    WHERE key = numbered;
CREATE INDEX sessions_of_block ON sessions (block);
CREATE TABLE search_blocks (block INTEGER PRIMARY KEY, count INTEGER NOT NULL, texts TEXT NOT NULL) STRICT;
INSERT INTO search_blocks SELECT block, count(*), group_concat(search, char(31)) FROM sessions GROUP BY block;
-- Without the texts again: what is written with every message need not carry them.
DROP INDEX sessions_newest;
CREATE INDEX sessions_newest ON sessions (updated_at_ms DESC, key);
