-- First schema. Times are milliseconds since 1970 UTC (`*_ms`); columns named `json` hold kernel words as JSON.

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) {without_rowid};

CREATE TABLE marks (
    key   TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) {without_rowid};

-- Alerts that are pending or firing now: the memory of the rules.
CREATE TABLE active_alerts (
    system TEXT NOT NULL,
    grp    TEXT NOT NULL,
    place  INTEGER NOT NULL,
    json   TEXT NOT NULL,
    PRIMARY KEY (system, grp, place)
);

-- Every firing that ever was.
CREATE TABLE alerts (
    firing_id   TEXT PRIMARY KEY,
    system      TEXT NOT NULL,
    grp         TEXT NOT NULL,
    fired_ms    INTEGER NOT NULL,
    resolved_ms INTEGER,
    search      TEXT NOT NULL,
    json        TEXT NOT NULL,
    ack_by      TEXT,
    ack_ms      INTEGER,
    ack_note    TEXT
);
CREATE INDEX alerts_by_time ON alerts (fired_ms);
CREATE INDEX alerts_firing ON alerts (system, grp) WHERE resolved_ms IS NULL;

-- What people may have to hear of; decided_ms is set once deliveries were decided from it.
CREATE TABLE events (
    id         TEXT PRIMARY KEY,
    system     TEXT NOT NULL,
    at_ms      INTEGER NOT NULL,
    firing_id  TEXT NOT NULL,
    json       TEXT NOT NULL,
    decided    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX events_undecided ON events (system, at_ms) WHERE decided = 0;
CREATE INDEX events_by_time ON events (at_ms);
CREATE INDEX events_by_firing ON events (firing_id);

CREATE TABLE held (
    id       TEXT PRIMARY KEY,
    system   TEXT NOT NULL,
    severity TEXT NOT NULL,
    due_ms   INTEGER NOT NULL,
    json     TEXT NOT NULL
);
CREATE INDEX held_by_system ON held (system, due_ms);

CREATE TABLE outbox (
    key          TEXT PRIMARY KEY,
    system       TEXT NOT NULL,
    channel      TEXT NOT NULL,
    state        TEXT NOT NULL,
    tries        INTEGER NOT NULL,
    due_ms       INTEGER NOT NULL,
    created_ms   INTEGER NOT NULL,
    fallen_from  TEXT NOT NULL,
    message      TEXT NOT NULL,
    confirmed_by TEXT,
    confirmed_ms INTEGER
);
CREATE INDEX outbox_due ON outbox (due_ms) WHERE state = 'queued';
CREATE INDEX outbox_by_state ON outbox (state, system);
CREATE INDEX outbox_by_time ON outbox (created_ms);

-- The delivery log.
CREATE TABLE attempts (
    id      {integer_key},
    key     TEXT NOT NULL REFERENCES outbox (key) ON DELETE CASCADE,
    system  TEXT NOT NULL,
    channel TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    result  TEXT NOT NULL,
    json    TEXT NOT NULL
);
CREATE INDEX attempts_by_key ON attempts (key);
CREATE INDEX attempts_taken ON attempts (system, channel, at_ms) WHERE result = 'taken';

-- Checks with their latest result; the counters number their history rows, whose slots are reused in a ring.
CREATE TABLE checks (
    id         {integer_key},
    name       TEXT NOT NULL UNIQUE,
    outcome    TEXT,
    since_ms   INTEGER,
    at_ms      INTEGER,
    changes    INTEGER NOT NULL DEFAULT 0,
    failures   INTEGER NOT NULL DEFAULT 0,
    samples    INTEGER NOT NULL DEFAULT 0,
    json       TEXT
);

CREATE TABLE results (
    check_id INTEGER NOT NULL REFERENCES checks (id),
    kind     INTEGER NOT NULL,
    slot     INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    outcome  TEXT NOT NULL,
    json     TEXT NOT NULL,
    PRIMARY KEY (check_id, kind, slot)
);
CREATE INDEX results_by_time ON results (kind, at_ms);

-- Counts per check and hour or day (span_ms). The span's start leads the key: what is written now lies together.
CREATE TABLE rollups (
    span_ms  INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    check_id INTEGER NOT NULL REFERENCES checks (id),
    up       INTEGER NOT NULL,
    slow     INTEGER NOT NULL,
    down     INTEGER NOT NULL,
    blind    INTEGER NOT NULL,
    sum_ms   INTEGER NOT NULL,
    max_ms   INTEGER NOT NULL,
    PRIMARY KEY (span_ms, start_ms, check_id)
) {without_rowid};

-- Times at which Farero itself did not watch.
CREATE TABLE blind (
    from_ms INTEGER PRIMARY KEY,
    to_ms   INTEGER NOT NULL
);

CREATE TABLE heartbeats (
    name  TEXT PRIMARY KEY,
    token TEXT NOT NULL UNIQUE
);

CREATE TABLE pings (
    id    {integer_key},
    name  TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    json  TEXT NOT NULL
);
CREATE INDEX pings_by_check ON pings (name, at_ms);

CREATE TABLE intensive (
    system    TEXT NOT NULL,
    component TEXT NOT NULL,
    until_ms  INTEGER NOT NULL,
    by_whom   TEXT NOT NULL,
    PRIMARY KEY (system, component)
) {without_rowid};

CREATE TABLE plans (
    id      {integer_key},
    system  TEXT NOT NULL,
    hash    TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    version TEXT NOT NULL,
    files   TEXT NOT NULL
);
CREATE INDEX plans_by_system ON plans (system, at_ms);

CREATE TABLE users (
    id            {integer_key},
    name          TEXT NOT NULL UNIQUE,
    role          TEXT NOT NULL,
    language      TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_ms    INTEGER NOT NULL,
    disabled      INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE sessions (
    token_hash   TEXT PRIMARY KEY,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_ms   INTEGER NOT NULL,
    seen_ms      INTEGER NOT NULL,
    idle_ends_ms INTEGER NOT NULL,
    ends_ms      INTEGER NOT NULL,
    client       TEXT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE tokens (
    id         {integer_key},
    token_hash TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    scopes     TEXT NOT NULL,
    user_id    INTEGER REFERENCES users (id) ON DELETE CASCADE,
    created_ms INTEGER NOT NULL,
    used_ms    INTEGER,
    expires_ms INTEGER,
    revoked_ms INTEGER
);

CREATE TABLE links (
    token_hash TEXT PRIMARY KEY,
    purpose    TEXT NOT NULL,
    user_id    INTEGER REFERENCES users (id) ON DELETE CASCADE,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms    INTEGER
);
