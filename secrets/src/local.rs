//! Values of this machine: environment, files, systemd's credentials. I/O.

use std::path::{Path, PathBuf};

use crate::settings::Settings;

/// A file that a reference names may have this many bytes: secrets are short, a mistaken path may lead to a log.
pub(crate) const FILE_BYTES: u64 = 64 * 1024;

/// The variable's value; values given on start come before the environment's.
pub(crate) fn environment(name: &str, settings: &Settings) -> Result<String, String> {
    if let Some(value) = settings.given.get(name) {
        return Ok(value.clone());
    }
    std::env::var(name).map_err(|error| match error {
        std::env::VarError::NotPresent => {
            "the environment variable is not set; set it and start or reload Farero".to_owned()
        }
        std::env::VarError::NotUnicode(_) => {
            "the environment variable holds bytes that are no text; set it to text in UTF-8".to_owned()
        }
    })
}

/// Where a credential lies. Its name is one of a file, never a path.
pub(crate) fn credential_path(name: &str, settings: &Settings) -> Result<PathBuf, String> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        return Err("a credential's name is that of a file, such as smtp-password".to_owned());
    }
    match &settings.credentials {
        Some(folder) => Ok(folder.join(name)),
        None => Err(format!(
            "systemd has given this service no credentials; add `LoadCredential={name}:/path` to its unit, or start it by systemd"
        )),
    }
}

/// A file's text without the line end that editors leave.
pub(crate) fn file(path: &Path) -> Result<String, String> {
    let bytes = bytes(path, FILE_BYTES)?;
    let text = String::from_utf8(bytes).map_err(|_| "the file is no text in UTF-8; is it the right one?".to_owned())?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// A file's bytes, at most `most`.
pub(crate) fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let unreadable = |e: std::io::Error| format!("the file cannot be read: {e}");
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > most {
        return Err(format!("the file has {size} bytes, at most {most} are read; is it the right one?"));
    }
    std::fs::read(path).map_err(unreadable)
}
