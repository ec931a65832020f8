-- Who may do what, beside what plans grant: kinds of accounts, teams, grants; and what waits for approval.

-- `person`, or `service`: an account of programs, which owns tokens and cannot log in.
ALTER TABLE users ADD COLUMN kind TEXT NOT NULL DEFAULT 'person';

CREATE TABLE teams (
    id         {integer_key},
    name       TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL
);

CREATE TABLE team_members (
    team_id INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX team_members_by_user ON team_members (user_id);

-- A role and where it holds, of one account or one team. What groups of an identity provider grant is kept with the identities.
CREATE TABLE grants (
    id         {integer_key},
    user_id    INTEGER REFERENCES users (id) ON DELETE CASCADE,
    team_id    INTEGER REFERENCES teams (id) ON DELETE CASCADE,
    json       TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    CHECK ((user_id IS NULL) <> (team_id IS NULL))
);
CREATE INDEX grants_by_user ON grants (user_id);
CREATE INDEX grants_by_team ON grants (team_id);

-- The role of an account itself (`users.role`) is its grant on all systems; it may be empty now.

-- What somebody asked for and others must say yes to. `json` holds the rule; `subject` what it is about, `details` what would change.
CREATE TABLE approvals (
    id           {integer_key},
    what         TEXT NOT NULL,
    system       TEXT NOT NULL,
    environment  TEXT NOT NULL,
    subject      TEXT NOT NULL,
    details      TEXT NOT NULL,
    payload      TEXT NOT NULL,
    json         TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    requested_ms INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL,
    standing     TEXT NOT NULL,
    decided_ms   INTEGER
);
CREATE INDEX approvals_waiting ON approvals (expires_ms) WHERE standing = 'waiting';
CREATE INDEX approvals_by_time ON approvals (requested_ms);

CREATE TABLE approval_votes (
    approval_id INTEGER NOT NULL REFERENCES approvals (id) ON DELETE CASCADE,
    person      TEXT NOT NULL,
    at_ms       INTEGER NOT NULL,
    yes         INTEGER NOT NULL,
    note        TEXT NOT NULL,
    PRIMARY KEY (approval_id, person)
);
