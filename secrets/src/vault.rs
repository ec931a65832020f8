//! HashiCorp Vault, key-value engine version 2, over HTTP (<https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2>).
//! I/O: HTTP.
//!
//! Reads wait on a thread of their own, so that they may be called from anywhere where waiting is allowed. What was read
//! is kept: when Vault is away, the values in use stay, and it is asked again a little later.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use kernel::secret::{Secret, Text};
use parking_lot::Mutex;
use reqwest::Client;

use crate::keyed::Keyed;
use crate::settings::VaultSettings;

mod client;
mod session;

use session::Session;

/// Values are asked for again after this long where Vault names no lease: KV version 2 never does.
const USUAL_LIFE: Duration = Duration::from_secs(5 * 60);

/// A lease shorter than this is not followed: Vault would be asked all the time.
const SHORTEST_LIFE: Duration = Duration::from_secs(30);

/// Vault that is away, or refuses, is asked again after this long.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// Secrets read from Vault for all plans together; a plan names tens of values in a few of them.
const MOST_SECRETS: usize = 500;

/// Where a secret lies: mount and path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) mount: String,
    pub(crate) path: String,
}

impl Place {
    /// From `MOUNT/PATH#KEY`; gives the key too.
    pub(crate) fn parse(name: &str) -> Result<(Self, String), String> {
        let usage = || "write mount, path and key: ${vault:kv/sigcerh/postgres#password}".to_owned();
        let (place, key) = name.split_once('#').ok_or_else(usage)?;
        let (mount, path) = place.trim_matches('/').split_once('/').ok_or_else(usage)?;
        let plain = |part: &str| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && !part.contains(|c: char| c.is_control() || "?%\\ ".contains(c))
        };
        if key.is_empty() || !plain(mount) || !path.split('/').all(plain) {
            return Err(usage());
        }
        Ok((Self { mount: mount.to_owned(), path: path.to_owned() }, key.to_owned()))
    }
}

/// What a setting stands for: a reference to this machine, or itself.
pub(crate) type Setting<'s> = &'s (dyn Fn(&Text) -> Option<Secret> + Sync);

/// One Vault.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    settings: VaultSettings,
    http: OnceLock<Result<Client, String>>,
    session: Mutex<Option<Session>>,
    kept: Mutex<HashMap<Place, Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    values: Keyed,
    good_until: Instant,
}

/// A secret as Vault gave it.
#[derive(Debug)]
struct Read {
    values: Keyed,
    life: Option<Duration>,
}

impl Vault {
    pub(crate) fn new(settings: VaultSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The values of these places, and until when they are good. Each is asked for anew; what cannot be had now is given
    /// as it was before.
    pub(crate) fn read(
        &self,
        places: &BTreeSet<Place>,
        setting: Setting<'_>,
    ) -> (HashMap<Place, Result<Keyed, String>>, Option<Instant>) {
        let asked = waiting(self.ask(places, setting))
            .unwrap_or_else(|error| places.iter().map(|place| (place.clone(), Err(error.clone()))).collect());
        let mut kept = self.kept.lock();
        let now = Instant::now();
        let (mut out, mut good_until) = (HashMap::new(), None::<Instant>);
        for (place, read) in asked {
            let (values, until) = match read {
                Ok(Read { values, life }) => {
                    let until = now + life.unwrap_or(USUAL_LIFE).max(SHORTEST_LIFE);
                    if kept.len() < MOST_SECRETS || kept.contains_key(&place) {
                        kept.insert(place.clone(), Kept { values: values.clone(), good_until: until });
                    }
                    (Ok(values), until)
                }
                Err(error) => match kept.get(&place) {
                    Some(before) => {
                        let late = now.saturating_duration_since(before.good_until).as_secs();
                        tracing::warn!(mount = %place.mount, path = %place.path, %error, late_s = late, "Vault does not give this secret; the values in use stay");
                        (Ok(before.values.clone()), now + ASK_AGAIN)
                    }
                    None => (Err(error), now + ASK_AGAIN),
                },
            };
            good_until = Some(good_until.map_or(until, |g| g.min(until)));
            out.insert(place, values);
        }
        (out, good_until)
    }

    /// Renews the log-in when its time has come.
    pub(crate) fn renew(&self, setting: Setting<'_>) {
        let due = self.session.lock().as_ref().is_some_and(Session::is_due);
        if due && let Err(error) = waiting(self.log_in(setting)).and_then(|done| done) {
            tracing::warn!(%error, "the log-in to Vault could not be renewed; it is tried again");
        }
    }

    /// Tokens in use.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        self.session.lock().iter().map(|s| s.token.clone()).collect()
    }

    async fn ask(&self, places: &BTreeSet<Place>, setting: Setting<'_>) -> HashMap<Place, Result<Read, String>> {
        let mut out = HashMap::new();
        let mut away: Option<String> = None;
        for place in places {
            let read = match &away {
                Some(error) => Err(error.clone()),
                None => match self.log_in(setting).await {
                    Ok(token) => self.ask_one(place, &token, setting).await,
                    Err(error) => {
                        away = Some(error.clone());
                        Err(error)
                    }
                },
            };
            out.insert(place.clone(), read);
        }
        out
    }

    async fn ask_one(&self, place: &Place, token: &Secret, setting: Setting<'_>) -> Result<Read, String> {
        let client = self.client()?;
        match client.read(place, token).await {
            Err(error) if error.is_denied() => {
                // The token may have been revoked meanwhile: a new log-in tells that from a policy that says no.
                let before = self.session.lock().take();
                let fresh = self.log_in(setting).await?;
                if before.is_some_and(|b| b.token == fresh) {
                    return Err(error.to_string());
                }
                client.read(place, &fresh).await.map_err(|e| e.to_string())
            }
            read => read.map_err(|e| e.to_string()),
        }
    }

    /// A token that is good now.
    async fn log_in(&self, setting: Setting<'_>) -> Result<Secret, String> {
        let client = self.client()?;
        let before = self.session.lock().clone();
        let session = session::log_in(&client, &self.settings, before, setting).await?;
        let token = session.token.clone();
        *self.session.lock() = Some(session);
        Ok(token)
    }

    fn client(&self) -> Result<client::Api<'_>, String> {
        let address = self.settings.address.as_deref().map(str::trim).filter(|a| !a.is_empty()).ok_or_else(|| {
            "no Vault is known; name its address with --vault-addr or VAULT_ADDR, such as https://vault.example:8200".to_owned()
        })?;
        let http = self.http.get_or_init(|| client::http(self.settings.ca_file.as_deref())).clone()?;
        client::Api::new(http, address, self.settings.namespace.as_deref())
    }
}

/// Waits for something on a thread with a small runtime of its own, whatever the caller runs on.
fn waiting<T: Send>(work: impl Future<Output = T> + Send) -> Result<T, String> {
    let failed = |e: std::io::Error| format!("Vault cannot be asked: {e}");
    std::thread::scope(|scope| {
        let asking = std::thread::Builder::new().name("vault".to_owned()).spawn_scoped(scope, move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            Ok(runtime.block_on(work))
        });
        match asking.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(done)) => done.map_err(failed),
            Ok(Err(_)) => Err("asking Vault broke off; this is a fault of Farero".to_owned()),
            Err(error) => Err(failed(error)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_mount_path_and_key() {
        let check = |name: &str, expect: Option<(&str, &str, &str)>| {
            let got = Place::parse(name).ok().map(|(p, key)| (p.mount, p.path, key));
            assert_eq!(got, expect.map(|(m, p, k)| (m.to_owned(), p.to_owned(), k.to_owned())), "{name}");
        };
        check("kv/sigcerh/postgres#password", Some(("kv", "sigcerh/postgres", "password")));
        check("/kv/db#a.b", Some(("kv", "db", "a.b")));
        check("kv/db", None);
        check("kv#password", None);
        check("kv/db#", None);
        check("kv/../sys/seal#x", None);
        check("kv/a?version=1#x", None);
        check("kv//a#x", None);
    }
}
