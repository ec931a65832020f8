//! The Unix socket of the local command line: made so that nobody else can reach it for a moment. I/O: files.

use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use tokio::net::UnixListener;

/// Its name in the data folder.
pub(super) const NAME: &str = "farero.sock";

/// Bytes that a socket's path may have (`sun_path` of Linux, with its end).
const LONGEST_PATH: usize = 107;

/// Listens on a socket of mode 0600. It is made in a folder that nobody else can enter, given its mode, and then moved to
/// its place, so that it is never open to others; an old one that nobody listens on is taken away.
pub(super) fn bind(path: &Path) -> Result<UnixListener> {
    let shown = path.display();
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    check_folder(folder)?;
    let hidden = folder.join(format!(".farero-{}", std::process::id()));
    let made = hidden.join("s");
    let longest = path.as_os_str().len().max(made.as_os_str().len());
    ensure!(
        longest <= LONGEST_PATH,
        "{shown}: a socket's path may have {LONGEST_PATH} bytes; name a shorter one with --socket"
    );
    remove_old(path)?;
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&hidden)
        .with_context(|| format!("{} cannot be made", hidden.display()))?;
    let listening = (|| {
        let listener = UnixListener::bind(&made)?;
        std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o600))?;
        std::fs::rename(&made, path)?;
        Ok::<_, std::io::Error>(listener)
    })();
    // What is left of it goes, whatever came of it.
    let _ = std::fs::remove_file(&made);
    let _ = std::fs::remove_dir(&hidden);
    listening.with_context(|| format!("the socket {shown} cannot be made"))
}

/// The socket's folder belongs to root or to this user, and no other may write to it: else somebody could put another
/// socket in its place.
fn check_folder(folder: &Path) -> Result<()> {
    let shown = folder.display();
    let metadata =
        std::fs::metadata(folder).with_context(|| format!("{shown}, the socket's folder, cannot be read"))?;
    let own = nix::unistd::Uid::effective().as_raw();
    ensure!(
        metadata.uid() == own || metadata.uid() == 0,
        "{shown}, the socket's folder, belongs to another user (uid {}); choose one of your own with --socket",
        metadata.uid()
    );
    // With the sticky bit nobody can replace what belongs to another.
    let open = metadata.mode() & 0o022 != 0 && metadata.mode() & 0o1000 == 0;
    ensure!(
        !open,
        "{shown}, the socket's folder, can be written by others; take that away (chmod go-w) or choose another with --socket"
    );
    Ok(())
}

fn remove_old(path: &Path) -> Result<()> {
    let shown = path.display();
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(()) };
    ensure!(metadata.file_type().is_socket(), "{shown} is there already and is no socket; name another with --socket");
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        bail!("another Farero listens on {shown}; end it, or name another socket with --socket");
    }
    std::fs::remove_file(path).with_context(|| format!("the old socket {shown} cannot be taken away"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sec_12_the_socket_is_ours_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let first = bind(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, [NAME]);
        assert!(bind(&path).unwrap_err().to_string().contains("another Farero listens"));
        drop(first);
        let _again = bind(&path).unwrap();

        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(bind(&folder.path().join("x")).unwrap_err().to_string().contains("can be written by others"));
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(bind(&folder.path().join("file")).unwrap_err().to_string().contains("no socket"));
        assert!(bind(&folder.path().join("x".repeat(200))).unwrap_err().to_string().contains("shorter"));
    }
}
