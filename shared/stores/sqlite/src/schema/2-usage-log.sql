-- The usage log: what is asked for has columns, all of it is in the JSON.
CREATE TABLE records (
    id TEXT PRIMARY KEY,
    time INTEGER NOT NULL,
    token TEXT,
    session TEXT,
    service TEXT,
    model TEXT,
    status INTEGER NOT NULL,
    json TEXT NOT NULL,
    until INTEGER
) STRICT;

CREATE INDEX records_newest ON records (time, id);
CREATE INDEX records_of_token ON records (token, time, id) WHERE token IS NOT NULL;
CREATE INDEX records_of_session ON records (session, time, id) WHERE session IS NOT NULL;
CREATE INDEX records_over ON records (until) WHERE until IS NOT NULL;
