-- The audit trail: entries that are only ever appended, each chained to the one before it by its hash.

CREATE TABLE trail (
    sequence    INTEGER PRIMARY KEY,
    previous    {bytes} NOT NULL,
    hash        {bytes} NOT NULL,
    deed        TEXT NOT NULL,
    at_ms       INTEGER NOT NULL,
    actor_kind  TEXT NOT NULL,
    actor       TEXT NOT NULL,
    system      TEXT NOT NULL,
    environment TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object      TEXT NOT NULL,
    action      TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    business_id TEXT NOT NULL,
    search      TEXT NOT NULL
);
CREATE INDEX trail_by_time ON trail (at_ms);
CREATE INDEX trail_by_actor ON trail (actor, sequence);
CREATE INDEX trail_by_object ON trail (object, sequence);
CREATE INDEX trail_by_system ON trail (system, sequence);
CREATE INDEX trail_by_action ON trail (action, sequence);
CREATE INDEX trail_by_outcome ON trail (outcome, sequence) WHERE outcome <> 'done';
CREATE INDEX trail_by_business_id ON trail (business_id, sequence) WHERE business_id <> '';

-- Where the chain ends: each writer locks this row, so that the order is total.
CREATE TABLE trail_head (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    hash     {bytes} NOT NULL
);

-- Up to which entry may be deleted; set only behind a signed checkpoint, with an entry that tells of it.
CREATE TABLE trail_cut (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    upto INTEGER NOT NULL
);
INSERT INTO trail_cut (id, upto) VALUES (1, 0);

CREATE TABLE trail_checkpoints (
    sequence INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    line     TEXT NOT NULL,
    PRIMARY KEY (sequence, line)
);

-- Texts that somebody signed, byte by byte as they were.
CREATE TABLE signed_texts (
    sha256 TEXT PRIMARY KEY,
    text   TEXT NOT NULL
);

CREATE TABLE signatures (
    sequence INTEGER PRIMARY KEY,
    system   TEXT NOT NULL,
    path     TEXT NOT NULL,
    title    TEXT NOT NULL,
    sha256   TEXT NOT NULL REFERENCES signed_texts (sha256),
    role     TEXT NOT NULL,
    person   TEXT NOT NULL,
    at_ms    INTEGER NOT NULL,
    note     TEXT NOT NULL,
    UNIQUE (system, path, sha256, role, person)
);

--@ sqlite
INSERT INTO trail_head (id, sequence, hash) VALUES (1, 0, zeroblob(32));
CREATE TRIGGER trail_kept_update BEFORE UPDATE ON trail
BEGIN SELECT RAISE(ABORT, 'the trail is append-only: an entry is never changed'); END;
CREATE TRIGGER trail_kept_delete BEFORE DELETE ON trail WHEN OLD.sequence > (SELECT upto FROM trail_cut)
BEGIN SELECT RAISE(ABORT, 'the trail is append-only: an entry is deleted only after its legal time'); END;
CREATE TRIGGER trail_kept_insert BEFORE INSERT ON trail WHEN EXISTS (SELECT 1 FROM trail WHERE sequence = NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'the trail is append-only: an entry is never replaced'); END;
CREATE TRIGGER trail_head_kept BEFORE DELETE ON trail_head
BEGIN SELECT RAISE(ABORT, 'the trail is append-only: its head stays'); END;
CREATE TRIGGER trail_cut_kept_delete BEFORE DELETE ON trail_cut
BEGIN SELECT RAISE(ABORT, 'the trail is append-only: where it was cut stays known'); END;
CREATE TRIGGER trail_cut_kept BEFORE UPDATE ON trail_cut
WHEN NEW.upto < OLD.upto
    OR (NEW.upto > OLD.upto AND NOT EXISTS (SELECT 1 FROM trail_checkpoints WHERE sequence = NEW.upto))
BEGIN SELECT RAISE(ABORT, 'the trail is cut only behind a checkpoint'); END;
CREATE TRIGGER trail_checkpoints_kept_update BEFORE UPDATE ON trail_checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints of the trail are append-only'); END;
CREATE TRIGGER trail_checkpoints_kept_delete BEFORE DELETE ON trail_checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints of the trail are append-only'); END;
CREATE TRIGGER signed_texts_kept_update BEFORE UPDATE ON signed_texts
BEGIN SELECT RAISE(ABORT, 'a signed text is never changed'); END;
CREATE TRIGGER signed_texts_kept_delete BEFORE DELETE ON signed_texts
BEGIN SELECT RAISE(ABORT, 'a signed text is never deleted'); END;
CREATE TRIGGER signatures_kept_update BEFORE UPDATE ON signatures
BEGIN SELECT RAISE(ABORT, 'a signature is never changed'); END;
CREATE TRIGGER signatures_kept_delete BEFORE DELETE ON signatures
BEGIN SELECT RAISE(ABORT, 'a signature is never deleted'); END;
--@ postgres
INSERT INTO trail_head (id, sequence, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));
CREATE FUNCTION trail_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: what it holds is never changed and never deleted', TG_TABLE_NAME;
END $$;
CREATE FUNCTION trail_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.sequence > (SELECT upto FROM trail_cut) THEN
        RAISE EXCEPTION 'the trail is append-only: an entry is deleted only after its legal time';
    END IF;
    RETURN OLD;
END $$;
CREATE FUNCTION trail_check_cut() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.upto < OLD.upto
        OR (NEW.upto > OLD.upto AND NOT EXISTS (SELECT 1 FROM trail_checkpoints WHERE sequence = NEW.upto)) THEN
        RAISE EXCEPTION 'the trail is cut only behind a checkpoint';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER trail_kept_update BEFORE UPDATE ON trail FOR EACH ROW EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER trail_kept_delete BEFORE DELETE ON trail FOR EACH ROW EXECUTE FUNCTION trail_refuse_delete();
CREATE TRIGGER trail_kept_truncate BEFORE TRUNCATE ON trail EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER trail_head_kept BEFORE DELETE ON trail_head FOR EACH ROW EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER trail_head_kept_truncate BEFORE TRUNCATE ON trail_head EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER trail_cut_kept BEFORE UPDATE ON trail_cut FOR EACH ROW EXECUTE FUNCTION trail_check_cut();
CREATE TRIGGER trail_cut_kept_delete BEFORE DELETE ON trail_cut FOR EACH ROW EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER trail_checkpoints_kept BEFORE UPDATE OR DELETE ON trail_checkpoints
    FOR EACH ROW EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER trail_checkpoints_kept_truncate BEFORE TRUNCATE ON trail_checkpoints EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER signed_texts_kept BEFORE UPDATE OR DELETE ON signed_texts FOR EACH ROW EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER signed_texts_kept_truncate BEFORE TRUNCATE ON signed_texts EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER signatures_kept BEFORE UPDATE OR DELETE ON signatures FOR EACH ROW EXECUTE FUNCTION trail_refuse();
CREATE TRIGGER signatures_kept_truncate BEFORE TRUNCATE ON signatures EXECUTE FUNCTION trail_refuse();
--@ both
