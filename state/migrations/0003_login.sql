-- How people prove who they are, beside the password.

-- The account's number inside passkeys: random, so that it tells nothing.
ALTER TABLE users ADD COLUMN handle TEXT;
CREATE UNIQUE INDEX users_by_handle ON users (handle);

-- When and how a session's person last proved who they are.
ALTER TABLE sessions ADD COLUMN proved_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password';

-- Who made a one-time link; who uses it is shown that.
ALTER TABLE links ADD COLUMN made_by TEXT NOT NULL DEFAULT '';

-- Secrets of one-time codes, sealed with a key that is not in the database; the last step that was taken.
CREATE TABLE totp (
    user_id   INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed    TEXT NOT NULL,
    made_ms   INTEGER NOT NULL,
    last_step INTEGER NOT NULL
);

CREATE TABLE recovery_codes (
    user_id   INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash TEXT NOT NULL,
    used_ms   INTEGER,
    PRIMARY KEY (user_id, code_hash)
);

CREATE TABLE passkeys (
    id            {integer_key},
    user_id       INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id TEXT NOT NULL UNIQUE,
    public_key    TEXT NOT NULL,
    uses          INTEGER NOT NULL,
    name          TEXT NOT NULL,
    backed_up     INTEGER NOT NULL,
    made_ms       INTEGER NOT NULL,
    used_ms       INTEGER
);
CREATE INDEX passkeys_by_user ON passkeys (user_id);

-- Accounts at OIDC providers, known by issuer and subject.
CREATE TABLE identities (
    issuer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    managed INTEGER NOT NULL,
    grants  TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    used_ms INTEGER,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_by_user ON identities (user_id);

-- What was begun and waits for its second half: a code, a passkey's answer, a provider's answer.
CREATE TABLE ceremonies (
    token_hash TEXT PRIMARY KEY,
    purpose    TEXT NOT NULL,
    user_id    INTEGER REFERENCES users (id) ON DELETE CASCADE,
    data       TEXT NOT NULL,
    tries      INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
);
CREATE INDEX ceremonies_by_end ON ceremonies (expires_ms);

-- Failed log-ins, by the hash of what they are counted by.
CREATE TABLE failures (
    key     TEXT PRIMARY KEY,
    count   INTEGER NOT NULL,
    last_ms INTEGER NOT NULL
);
CREATE INDEX failures_by_time ON failures (last_ms);

-- Sealed codes of the break-glass account; at most one is not used.
CREATE TABLE seals (
    id        {integer_key},
    code_hash TEXT NOT NULL UNIQUE,
    user_id   INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    made_ms   INTEGER NOT NULL,
    made_by   TEXT NOT NULL,
    used_ms   INTEGER,
    used_from TEXT,
    reason    TEXT
);
