//! The trail's keeper: its signing key beside the database, and checkpoints. I/O.
//!
//! The key lies in a file that only Farero's user may read. Whoever has it can sign in Farero's name: exports that are kept
//! elsewhere, and the public key known elsewhere, are what holds against somebody who has taken the whole machine.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use kernel::Timestamp;
use kernel::trail::{Actor, Deed};
use parking_lot::Mutex;
use prove_trail::{KEY_ACTION, PublicKey, Report, SignedCheckpoint, SigningKey};
pub use state::TrailFilter as Chosen;
use state::{CHECKPOINT_FILE, CheckpointFile, State};
pub use web::trail_export::{Export, Format};

/// The key's file in the data folder.
pub const KEY_FILE: &str = "trail-signing.key";

/// Longest key file that is read: two lines.
const LONGEST_KEY: u64 = 1_024;

/// The setting that holds the public key in use, so that a new one is noticed.
const SETTING: &str = "trail.key";

/// The setting that holds the schema that the trail knows of.
const SCHEMA_SETTING: &str = "trail.schema";

/// Signs where the trail stands.
#[derive(Debug)]
pub struct Keeper {
    key: SigningKey,
    file: CheckpointFile,
    /// One checkpoint at a time.
    signing: Mutex<()>,
    /// What was told last of things that are looked at again and again, by their names.
    told: Mutex<HashMap<String, String>>,
}

impl Keeper {
    /// Reads the key in a data folder, or makes one on the first start; a key that is new to the trail is told in it.
    ///
    /// # Errors
    /// The file cannot be used, others may read it, or the state cannot be written.
    pub fn open(folder: &Path, state: &State, now: Timestamp) -> Result<Self> {
        let key = match read_key(folder)? {
            Some(key) => key,
            None => make_key(folder)?,
        };
        let public = key.public().to_string();
        let known = state.setting(SETTING)?;
        if known.as_ref() != Some(&public) {
            let told = Deed::new(now, Actor::farero("trail"), KEY_ACTION).on("trail", KEY_FILE);
            state.record(&told.changed("key", known.as_deref(), Some(&public)))?;
            state.set_setting(SETTING, Some(&public))?;
        }
        let (schema, known) = (state::SCHEMA_VERSION.to_string(), state.setting(SCHEMA_SETTING)?);
        if known.as_ref() != Some(&schema) {
            let told = Deed::new(now, Actor::farero("state"), "state.migrate").on("state", state.place());
            state.record(&told.changed("schema", known.as_deref(), Some(&schema)))?;
            state.set_setting(SCHEMA_SETTING, Some(&schema))?;
        }
        let keeper =
            Self { key, file: CheckpointFile::in_folder(folder), signing: Mutex::new(()), told: Mutex::default() };
        keeper.begin_file(state, now)?;
        keeper.finish_last(state)?;
        Ok(keeper)
    }

    /// Whether something is in another state than was told last; at first in the one that is usual.
    pub fn is_news(&self, what: &str, state: &str, usual: &str) -> bool {
        let last = self.told.lock().insert(what.to_owned(), state.to_owned());
        last.as_deref().unwrap_or(usual) != state
    }

    /// The half of the key that everybody may know.
    pub fn public(&self) -> PublicKey {
        self.key.public()
    }

    /// Signs where the trail stands, unless that is signed already. The file beside the database comes first: a crash between
    /// the two leaves it one ahead, which the next start sets right.
    ///
    /// # Errors
    /// The state or the file cannot be used.
    pub fn checkpoint(&self, state: &State, now: Timestamp) -> Result<Option<SignedCheckpoint>> {
        let _one = self.signing.lock();
        let head = state.trail_head()?;
        if head.sequence <= state.checkpointed()? {
            return Ok(None);
        }
        let signed = self.key.sign(head, state.trail_count()?, now);
        let line = signed.to_line();
        self.file.append(&line)?;
        state.add_checkpoint(head.sequence, now, &line)?;
        Ok(Some(signed))
    }

    /// Writes the file anew from the database where it is missing: after a restore, or because somebody deleted it. The trail
    /// tells of it.
    fn begin_file(&self, state: &State, now: Timestamp) -> Result<()> {
        let kept = state.checkpoints()?;
        if self.file.exists() || kept.is_empty() {
            return Ok(());
        }
        for line in &kept {
            self.file.append(line)?;
        }
        let told = Deed::new(now, Actor::farero("trail"), "trail.checkpoints_restored").on("trail", CHECKPOINT_FILE);
        state.record(
            &told.saying(format!("the file was missing; {} checkpoints of the database stand in it", kept.len())),
        )?;
        tracing::warn!(file = %self.file.path().display(), "the checkpoints beside the database were missing and are written anew");
        Ok(())
    }

    /// Stores the newest checkpoint of the file, where a crash kept it from the database. Older ones that are missing there are
    /// damage, which verification names.
    fn finish_last(&self, state: &State) -> Result<()> {
        let newest = self.file.lines()?.into_iter().rev().find_map(|l| SignedCheckpoint::from_line(&l));
        let Some(newest) = newest.filter(|s| s.is_signed() && s.checkpoint.key == self.public()) else { return Ok(()) };
        let point = newest.checkpoint;
        let entry = state.trail_entry(point.sequence)?;
        if point.sequence > state.checkpointed()? && entry.is_some_and(|e| e.hash == point.hash) {
            state.add_checkpoint(point.sequence, point.at, &newest.to_line())?;
        }
        Ok(())
    }
}

/// A state for looking only: Farero may run on it.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn look_at(data: &Path, state: Option<&str>) -> Result<State> {
    let sources = secrets::Sources::new(secrets::Settings::of_environment());
    let place = crate::place::state_location(data, state, &sources)?;
    Ok(State::look_at(&place)?)
}

/// Verifies the trail of a state with the checkpoints beside it; trusted are the keys given, else the one in the data folder.
///
/// # Errors
/// The state or a file cannot be read.
pub fn verify(state: &State, data: &Path, keys: &[PublicKey]) -> Result<Report> {
    let own = read_key(data)?.map(|k| k.public());
    let trusted: Vec<PublicKey> = if keys.is_empty() { own.into_iter().collect() } else { keys.to_vec() };
    // A folder with a key is the one that the trail was signed from: the checkpoints must be there too.
    let file = own.is_some().then(|| CheckpointFile::in_folder(data));
    crate::trail_check::verify(state, file.as_ref(), &trusted)
}

fn key_path(folder: &Path) -> PathBuf {
    folder.join(KEY_FILE)
}

/// The key in a data folder; `None` when there is none yet.
///
/// # Errors
/// The file cannot be read, is no key, or may be read by others.
pub fn read_key(folder: &Path) -> Result<Option<SigningKey>> {
    let path = key_path(folder);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    };
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!("{} may be read by others (mode {:o}): chmod 600 {0}", path.display(), mode & 0o777);
    }
    let mut text = String::new();
    file.take(LONGEST_KEY).read_to_string(&mut text).with_context(|| format!("{} cannot be read", path.display()))?;
    SigningKey::read(&text).map(Some).with_context(|| path.display().to_string())
}

fn make_key(folder: &Path) -> Result<SigningKey> {
    let key = SigningKey::from_seed(&rand::random());
    let path = key_path(folder);
    let written = File::options().write(true).create_new(true).mode(0o600).open(&path).and_then(|mut file| {
        file.write_all(key.write().as_bytes())?;
        file.sync_all()?;
        File::open(folder)?.sync_all()
    });
    written.with_context(|| format!("{} cannot be made: check that Farero's user may write there", path.display()))?;
    tracing::info!(key = %key.public(), "a key was made to sign the trail with; note its public half somewhere else");
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_790_000_000 + seconds)
    }

    #[test]
    fn sec_12_the_key_is_made_once_and_nobody_else_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).unwrap();
        let first = Keeper::open(folder.path(), &state, at(0)).unwrap();
        let path = key_path(folder.path());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Keeper::open(folder.path(), &state, at(1)).unwrap();
        assert_eq!(first.public(), again.public());
        let told = state.trail_rows(0, 10).unwrap();
        assert_eq!(told.len(), 2, "key and schema are told once");
        assert!(told[0].entry.text.contains(&first.public().to_string()));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = Keeper::open(folder.path(), &state, at(2)).unwrap_err().to_string();
        assert!(error.contains("may be read by others (mode 640): chmod 600"), "{error}");
    }

    #[test]
    fn sec_12_a_checkpoint_is_made_only_when_there_is_something_new_and_kept_twice() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).unwrap();
        let keeper = Keeper::open(folder.path(), &state, at(0)).unwrap();
        let signed = keeper.checkpoint(&state, at(1)).unwrap().unwrap();
        assert_eq!(signed.checkpoint.sequence, 2);
        assert_eq!(keeper.checkpoint(&state, at(2)).unwrap(), None);
        state.record(&Deed::new(at(3), Actor::Nobody, "a.b")).unwrap();
        let second = keeper.checkpoint(&state, at(4)).unwrap().unwrap();
        assert_eq!((second.checkpoint.sequence, second.checkpoint.count), (3, 3));
        let kept = state.checkpoints().unwrap();
        assert_eq!(kept, CheckpointFile::in_folder(folder.path()).lines().unwrap());
        assert_eq!(kept, [signed.to_line(), second.to_line()]);
    }

    #[test]
    fn a_checkpoint_that_a_crash_kept_from_the_database_is_stored_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).unwrap();
        let keeper = Keeper::open(folder.path(), &state, at(0)).unwrap();
        let line = keeper.key.sign(state.trail_head().unwrap(), 1, at(1)).to_line();
        keeper.file.append(&line).unwrap();
        std::fs::OpenOptions::new().append(true).open(keeper.file.path()).unwrap().write_all(b"{\"check").unwrap();
        assert_eq!(state.checkpointed().unwrap(), 0);
        let keeper = Keeper::open(folder.path(), &state, at(2)).unwrap();
        assert_eq!(state.checkpoints().unwrap(), [line]);
        state.record(&Deed::new(at(3), Actor::Nobody, "a.b")).unwrap();
        let next = keeper.checkpoint(&state, at(4)).unwrap().unwrap();
        assert_eq!(keeper.file.lines().unwrap().last(), Some(&next.to_line()), "a half line spoils no other");
    }
}
