-- Rates, places, budgets and values. Times are in milliseconds since 1970, a meter's in microseconds.
CREATE TABLE meters (
    key TEXT PRIMARY KEY,
    full_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE places (
    key TEXT NOT NULL,
    lease TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (key, lease)
) STRICT, WITHOUT ROWID;

CREATE TABLE budgets (
    key TEXT PRIMARY KEY,
    spent INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A call that is settled stays until it could not be mistaken for a new one, one that nobody settled as long as its
-- budget: forget_at says which.
CREATE TABLE reservations (
    budget TEXT NOT NULL,
    id TEXT NOT NULL,
    amount INTEGER NOT NULL,
    until INTEGER NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0,
    forget_at INTEGER NOT NULL,
    PRIMARY KEY (budget, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX reservations_open ON reservations (budget, until, amount) WHERE settled = 0;
CREATE INDEX reservations_over ON reservations (forget_at);

CREATE TABLE kept_values (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL,
    until INTEGER
) STRICT;

CREATE INDEX kept_values_over ON kept_values (until) WHERE until IS NOT NULL;
