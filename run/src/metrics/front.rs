//! How the engine's address is protected: TLS, users, headers, as Prometheus's `--web.config.file` says. I/O: files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use kernel::Timestamp;
use observe_scrape::config::{ClientCertificates, Pem, ServerTls, TlsVersion, WebFile};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use web::Door;
use web::tls::{Certificates, Demands};

/// Log-ins that are remembered: comparing a password takes a tenth of a second by intent, and dashboards ask often.
const REMEMBERED: usize = 100;

/// Compared when a name is unknown, so that the answer takes as long: the hash of a password that nobody has.
const NOBODY: &str = "$2b$10$XQ3nX3uGkM7oDIHTQVv4MuG8o1yj1CzZrYxJWLJrIj9GvZkYw0mGa";

/// What the file says.
#[derive(Default)]
struct Said {
    users: HashMap<String, String>,
    headers: HeaderMap,
}

/// Who has logged in, in the extensions of a request.
#[derive(Clone, Debug)]
pub(super) struct LoggedIn(pub(super) String);

/// The protection of the engine's addresses.
pub(super) struct Front {
    path: Option<PathBuf>,
    certificates: Option<Arc<Certificates>>,
    said: RwLock<Arc<Said>>,
    /// Log-ins that were right, as hashes.
    known: Mutex<Vec<[u8; 32]>>,
}

impl Front {
    /// Reads the file, when there is one.
    ///
    /// # Errors
    /// It has mistakes, or what it names cannot be used.
    pub(super) fn open(path: Option<PathBuf>, now: Timestamp) -> Result<Self> {
        let file = path.as_deref().map(read).transpose()?.unwrap_or_default();
        let certificates = file.tls.as_ref().map(|tls| certificates(tls, now)).transpose()?;
        let said = RwLock::new(Arc::new(said(&file)?));
        Ok(Self { path, certificates, said, known: Mutex::default() })
    }

    /// Reads it again. Whether TLS is spoken, and what clients have to show, stays as it began.
    ///
    /// # Errors
    /// As [`Front::open`]; what was in use stays.
    pub(super) fn reload(&self, now: Timestamp) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let file = read(path)?;
        match (&self.certificates, &file.tls) {
            (Some(certificates), Some(tls)) => certificates.put(&bytes(&tls.certificate)?, &bytes(&tls.key)?, now)?,
            (None, None) => {}
            _ => tracing::warn!("TLS is switched on or off at the next start only"),
        }
        *self.said.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(said(&file)?);
        self.known.lock().clear();
        Ok(())
    }

    /// A way in through it.
    pub(super) fn door(&self, listener: TcpListener) -> Door {
        match &self.certificates {
            Some(certificates) => Door::Tls(listener, certificates.clone()),
            None => Door::Plain(listener),
        }
    }

    /// Whether TLS is spoken.
    pub(super) const fn is_tls(&self) -> bool {
        self.certificates.is_some()
    }

    /// Puts it before a router.
    pub(super) fn before(self: &Arc<Self>, router: Router) -> Router {
        if self.path.is_none() { router } else { router.layer(from_fn_with_state(self.clone(), guard)) }
    }

    fn is_known(&self, log_in: &[u8; 32]) -> bool {
        self.known.lock().contains(log_in)
    }

    fn remember(&self, log_in: [u8; 32]) {
        let mut known = self.known.lock();
        if known.len() >= REMEMBERED {
            known.remove(0);
        }
        known.push(log_in);
    }

    /// Whether a name and password are those of a user.
    async fn lets_in(&self, said: &Said, name: String, password: String) -> bool {
        let hash = said.users.get(&name).cloned();
        let is_user = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let mut digest = Sha256::new();
        [&name, &hash, &password].iter().for_each(|part| {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part.as_bytes());
        });
        let log_in: [u8; 32] = digest.finalize().into();
        if is_user && self.is_known(&log_in) {
            return true;
        }
        let right = tokio::task::spawn_blocking(move || bcrypt::verify(password, &hash).unwrap_or(false));
        let right = right.await.unwrap_or(false) && is_user;
        if right {
            self.remember(log_in);
        }
        right
    }
}

fn read(path: &Path) -> Result<WebFile> {
    let file = WebFile::load(path)
        .map_err(|all| anyhow::anyhow!("{}", all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    for note in &file.notes {
        tracing::warn!(note, "of the configuration of the address this is not done");
    }
    Ok(file)
}

fn bytes(pem: &Pem) -> Result<Vec<u8>> {
    match pem {
        Pem::Inline(text) => Ok(text.expose().as_bytes().to_vec()),
        Pem::File(path) => std::fs::read(path).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn certificates(tls: &ServerTls, now: Timestamp) -> Result<Arc<Certificates>> {
    let demands = Demands {
        client_ca: tls.client_ca.as_ref().filter(|_| tls.clients != ClientCertificates::None).map(bytes).transpose()?,
        clients_required: tls.clients == ClientCertificates::Required,
        only_1_3: tls.min_version == TlsVersion::Tls13,
        only_1_2: tls.max_version == TlsVersion::Tls12,
    };
    let certificates = Certificates::with(&demands)?;
    certificates.put(&bytes(&tls.certificate)?, &bytes(&tls.key)?, now)?;
    Ok(Arc::new(certificates))
}

fn said(file: &WebFile) -> Result<Said> {
    let mut headers = HeaderMap::new();
    for (name, value) in &file.headers {
        let wrong = || format!("http_server_config.headers: {name} is no header that can be sent");
        let name = HeaderName::try_from(name.as_str()).with_context(wrong)?;
        headers.append(name, HeaderValue::try_from(value.as_str()).with_context(wrong)?);
    }
    let users = file.users.iter().map(|(name, hash)| (name.clone(), hash.expose().to_owned())).collect();
    Ok(Said { users, headers })
}

async fn guard(State(front): State<Arc<Front>>, mut request: Request, next: Next) -> Response {
    let said = front.said.read().unwrap_or_else(PoisonError::into_inner).clone();
    let may = said.users.is_empty()
        || match log_in(request.headers()) {
            Some((name, password)) => {
                request.extensions_mut().insert(LoggedIn(name.clone()));
                front.lets_in(&said, name, password).await
            }
            None => false,
        };
    let mut response = if may {
        next.run(request).await
    } else {
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic")], "Unauthorized\n").into_response()
    };
    for (name, value) in &said.headers {
        response.headers_mut().append(name.clone(), value.clone());
    }
    response
}

/// Name and password of a header `Authorization: Basic …` (RFC 7617).
fn log_in(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, coded) = value.split_once(' ')?;
    let plain = scheme.eq_ignore_ascii_case("basic").then(|| unbase64(coded.trim()))??;
    let text = String::from_utf8(plain).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_ins_are_read_from_headers() {
        let mut headers = HeaderMap::new();
        assert_eq!(log_in(&headers), None);
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("basic YTpiOmM="));
        assert_eq!(log_in(&headers), Some(("a".into(), "b:c".into())));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer YTpiOmM="));
        assert_eq!(log_in(&headers), None);
    }

    #[test]
    fn the_hash_of_nobody_is_one() {
        // Otherwise an unknown name would be answered at once.
        assert_eq!(bcrypt::verify("x", NOBODY).ok(), Some(false));
    }
}
