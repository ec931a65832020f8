//! `farero secrets`: encrypted files of secrets, made and changed without the plaintext touching a disk. I/O.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail, ensure};
use kernel::secret::Secret;
use secrets::sealed;

use crate::arguments::{Recipients, Secrets, SecretsAction};

/// A secret that is typed or piped in may have this many bytes.
const MOST_BYTES: u64 = 1 << 20;

pub(crate) fn run(arguments: &Secrets) -> Result<ExitCode> {
    match &arguments.action {
        SecretsAction::Key { file } => key(file),
        SecretsAction::Encrypt { file, out, to } => encrypt(file, out.as_deref(), to),
        SecretsAction::List { file, identity } => {
            let identity = identity_path(identity.as_deref())?;
            let keys = sealed::list(file, &identity).map_err(|e| anyhow!("{}: {e}", file.display()))?;
            keys.iter().try_for_each(|key| crate::print::line(key))
        }
        SecretsAction::Set { file, key, to } => set(file, key, to),
        SecretsAction::Edit { file, to } => edit(file, to),
    }?;
    Ok(ExitCode::from(crate::exit::OK))
}

/// Makes an identity; its recipient is printed, for those who encrypt for it.
fn key(file: &Path) -> Result<()> {
    let (identity, recipient) = sealed::new_identity();
    let text = format!("# recipient: {recipient}\n{}\n", identity.expose());
    let mut open = std::fs::OpenOptions::new();
    let made = open.write(true).create_new(true).mode(0o600).open(file);
    let mut made =
        made.with_context(|| format!("{} cannot be made (an identity is never overwritten)", file.display()))?;
    made.write_all(text.as_bytes()).and_then(|()| made.sync_all())?;
    crate::print::line(&recipient)
}

fn encrypt(file: &Path, out: Option<&Path>, to: &Recipients) -> Result<()> {
    let text = if file == Path::new("-") { from_input()? } else { Secret::new(std::fs::read_to_string(file)?) };
    let out = match out {
        Some(out) => out.to_owned(),
        None if file == Path::new("-") => bail!("name the encrypted file with --output"),
        None => PathBuf::from(format!("{}.age", file.display())),
    };
    write(&out, &text, &recipients(to, &out)?)?;
    let left =
        if file == Path::new("-") { String::new() } else { format!("; {} is still there: delete it", file.display()) };
    crate::print::line(&format!("{} is written{left}", out.display()))
}

fn set(file: &Path, key: &str, to: &Recipients) -> Result<()> {
    let text = if file.exists() { open(file, to)? } else { Secret::default() };
    if std::io::stdin().is_terminal() {
        eprintln!("Type the value of `{key}`, then Enter and Ctrl-D:");
    }
    let value = from_input()?;
    let value = Secret::new(value.expose().trim_end_matches(['\n', '\r']).to_owned());
    let text = sealed::set(file, &text, key, &value).map_err(|e| anyhow!("{}: {e}", file.display()))?;
    write(file, &text, &recipients(to, file)?)
}

fn edit(file: &Path, to: &Recipients) -> Result<()> {
    let before = if file.exists() { open(file, to)? } else { Secret::default() };
    let recipients = recipients(to, file)?;
    let place = Hidden::create(file)?;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&place.file)?
        .write_all(before.expose().as_bytes())?;
    let editor = std::env::var("VISUAL").or_else(|_| std::env::var("EDITOR")).unwrap_or_else(|_| "vi".to_owned());
    let mut words = editor.split_whitespace();
    let program = words.next().context("EDITOR names no program")?;
    let status = std::process::Command::new(program).args(words).arg(&place.file).status();
    ensure!(
        status.with_context(|| format!("{program} cannot be started; set EDITOR"))?.success(),
        "{program} failed; nothing is changed"
    );
    let after = Secret::new(std::fs::read_to_string(&place.file)?);
    if after == before {
        return crate::print::line("nothing is changed");
    }
    write(file, &after, &recipients)
}

/// A folder for the plaintext while it is edited: in memory where there is such a place, and gone afterwards.
struct Hidden {
    folder: PathBuf,
    file: PathBuf,
}

impl Hidden {
    fn create(file: &Path) -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = base.join(format!("farero-secrets-{}", std::process::id()));
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        let name = file.file_stem().map_or_else(|| "secrets".into(), |n| n.to_string_lossy().into_owned());
        Ok(Self { file: folder.join(name), folder })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("farero: {} holds secrets and could not be removed: {error}", self.folder.display());
        }
    }
}

fn from_input() -> Result<Secret> {
    let mut text = String::new();
    std::io::stdin().take(MOST_BYTES).read_to_string(&mut text).context("the standard input cannot be read as text")?;
    Ok(Secret::new(text))
}

fn identity_path(named: Option<&Path>) -> Result<PathBuf> {
    let settings = secrets::Settings { age_identity: named.map(Path::to_owned), ..secrets::Settings::with([]) };
    sealed::identity_path(&settings).map_err(|e| anyhow!(e))
}

fn open(file: &Path, to: &Recipients) -> Result<Secret> {
    let identity = identity_path(to.age_identity.as_deref())?;
    sealed::open(file, &identity).map_err(|e| anyhow!("{}: {e}", file.display()))
}

/// Whom a file is encrypted for: those named, those in the file `.age-recipients` beside it, and the own identity's, so
/// that it can be opened again.
fn recipients(to: &Recipients, file: &Path) -> Result<Vec<String>> {
    let mut all = to.recipients.clone();
    let beside = file.parent().unwrap_or(Path::new("")).join(".age-recipients");
    if let Ok(text) = std::fs::read_to_string(beside) {
        all.extend(text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).map(ToOwned::to_owned));
    }
    if let Ok(identity) = identity_path(to.age_identity.as_deref()) {
        all.extend(sealed::recipients(&identity).map_err(|e| anyhow!(e))?);
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// Writes beside the file and puts it in its place, so that a half-written one never stands there.
fn write(file: &Path, text: &Secret, recipients: &[String]) -> Result<()> {
    let sealed = sealed::seal(text, recipients).map_err(|e| anyhow!(e))?;
    let fresh = file.with_extension("age.new");
    std::fs::write(&fresh, sealed).with_context(|| format!("{} cannot be written", fresh.display()))?;
    let mode = std::fs::metadata(file).map_or(0o644, |m| m.permissions().mode());
    std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(mode))?;
    std::fs::rename(&fresh, file).with_context(|| format!("{} cannot be written", file.display()))
}
