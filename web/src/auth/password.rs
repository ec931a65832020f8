//! Passwords: argon2id with OWASP's parameters, hashed off the async threads, few at once. I/O: CPU.

use std::sync::LazyLock;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::answer::Failure;
use crate::app::App;
use crate::limits;

/// Memory in KiB, passes, lanes: OWASP's first choice for argon2id.
const COST: (u32, u32, u32) = (19 * 1_024, 2, 1);

/// A hash of nothing anyone knows: verified for unknown names, so that the time does not tell which names exist.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now(&super::secret::fresh()).unwrap_or_default());

/// A stored hash that no password has: of accounts that wait for their one-time link.
pub(crate) const UNUSABLE: &str = "!";

fn hasher() -> Argon2<'static> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash_now(password: &str) -> Option<String> {
    hasher().hash_password(password.as_bytes()).ok().map(|h| h.to_string())
}

/// What is wrong with a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weak {
    Short,
    Long,
    LikeName,
    Common,
}

/// Whether a password may be chosen: long enough, not the account's name, not one that guessing begins with.
pub(crate) fn check_new(password: &str, name: &str) -> Result<(), Weak> {
    let plain = password.to_lowercase();
    let name = name.to_lowercase();
    match password.chars().count() {
        n if n < limits::PASSWORD_SHORTEST => Err(Weak::Short),
        _ if password.len() > limits::PASSWORD_LONGEST => Err(Weak::Long),
        _ if name.len() > 3 && plain.contains(&name) && plain.len() < name.len() + 6 => Err(Weak::LikeName),
        _ if ::auth::common::is_common(password) => Err(Weak::Common),
        _ => Ok(()),
    }
}

async fn in_turn<T: Send + 'static>(app: &App, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let Ok(_waiting) = app.gates.hashes_waiting.clone().try_acquire_owned() else { return Err(Failure::busy()) };
    let _turn = app.gates.hashes.clone().acquire_owned().await.map_err(|_| Failure::busy())?;
    tokio::task::spawn_blocking(work).await.map_err(|e| Failure::internal("hash a password", e))
}

/// Hashes a password.
pub(crate) async fn hash(app: &App, password: String) -> Result<String, Failure> {
    let hashed = in_turn(app, move || hash_now(&password)).await?;
    hashed.ok_or_else(|| Failure::internal("hash a password", "argon2 refused it"))
}

/// Whether a password belongs to a stored hash; `None` stands for an unknown account and takes as long.
pub(crate) async fn verify(app: &App, password: String, stored: Option<String>) -> Result<bool, Failure> {
    if password.len() > limits::PASSWORD_LONGEST {
        return Ok(false);
    }
    in_turn(app, move || {
        let known = stored.filter(|s| s != UNUSABLE);
        let hash = known.as_deref().unwrap_or(&NOBODY);
        let matches = hasher().verify_password(password.as_bytes(), hash).is_ok();
        matches && known.is_some()
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_and_not_the_name() {
        assert_eq!(check_new("short", "ana"), Err(Weak::Short));
        assert_eq!(check_new("administrator1", "administrator"), Err(Weak::LikeName));
        assert_eq!(check_new(&"x".repeat(600), "ana"), Err(Weak::Long));
        assert_eq!(check_new("contraseña2026", "ana"), Err(Weak::Common));
        assert_eq!(check_new("cuatro palabras sin orden", "ana"), Ok(()));
    }

    #[test]
    fn the_hash_names_its_cost() {
        assert!(hash_now("cuatro palabras").unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }
}
