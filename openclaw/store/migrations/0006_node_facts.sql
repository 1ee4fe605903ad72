-- What paired nodes said of themselves, so that they are listed with it while they are away.
CREATE TABLE node_facts (id TEXT PRIMARY KEY, record TEXT NOT NULL, owner TEXT, fence INTEGER NOT NULL DEFAULT 0) STRICT;
