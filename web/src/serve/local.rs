//! Callers over the Unix socket: the operating system says who they are. I/O: user names of this machine.

use std::sync::Arc;

use tokio::net::UnixStream;

use crate::auth::{Access, Identity, Proof, Role};

/// Somebody on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPeer {
    /// Number of the user.
    pub uid: u32,
    /// The user's name.
    pub name: Arc<str>,
    /// Whether they are root or the user that Farero runs as.
    pub trusted: bool,
}

impl LocalPeer {
    /// Who is at the other end of a connection (`SO_PEERCRED`).
    ///
    /// # Errors
    /// The operating system does not say.
    pub fn of(stream: &UnixStream) -> std::io::Result<Self> {
        let uid = stream.peer_cred()?.uid();
        let own = nix::unistd::Uid::effective().as_raw();
        Ok(Self { uid, name: Self::name_of(uid).into(), trusted: uid == 0 || uid == own })
    }

    /// The name of a user of this machine, or the number where there is none.
    pub fn name_of(uid: u32) -> String {
        let found = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid)).ok().flatten();
        found.map_or_else(|| uid.to_string(), |user| user.name)
    }

    /// As whom they act; nobody unless they are trusted. Whoever is root, or the user that Farero runs as, could read and
    /// change its files anyway: they administer, and the trail names them.
    pub(crate) fn identity(&self) -> Option<Identity> {
        self.trusted.then(|| Identity {
            user_id: None,
            name: self.to_string(),
            access: Access::everywhere(Role::Administrator),
            language: None,
            proof: Proof::Local { uid: self.uid },
        })
    }
}

impl std::fmt::Display for LocalPeer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "local command line (uid {}, {})", self.uid, self.name)
    }
}
