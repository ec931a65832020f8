//! Waits after failed log-ins, kept in the database so that a restart does not end them. I/O: state.
//!
//! The rules stand in `auth::throttle`. A browser that has logged in to an account before carries a mark of it (a cookie that only
//! this Farero can make); its failures are counted apart, so that guessing from elsewhere never holds it up.

use std::time::Duration;

use ::auth::throttle::{Count, Failures, after_failure, wait};
use http::HeaderValue;
use http::request::Parts;
use kernel::Timestamp;
use state::FailureCount;

use super::{secret, session};
use crate::answer::Failure;
use crate::app::App;
use crate::limits;
use crate::pages::visit::cookie;

/// Cookie of a browser that an account has been used in.
const DEVICE_COOKIE: &str = "farero_device";

/// What the failures of one try are counted by.
#[derive(Clone, Debug)]
pub(crate) struct Try {
    keys: Vec<(Count, String)>,
}

impl Try {
    /// Of an account's name as it was typed, from a browser.
    pub(crate) fn of(app: &App, parts: &Parts, account: &str) -> Self {
        let (account, address) = (account.trim().to_lowercase(), session::address(parts));
        let key = |parts: &[&str]| secret::hash(&parts.join("\n"));
        let by_address = (Count::Address, key(&["address", &address]));
        let keys = match device(app, parts, &account) {
            Some(device) => vec![(Count::Pair, key(&["device", &device])), by_address],
            None => vec![
                (Count::Pair, key(&["pair", &account, &address])),
                by_address,
                (Count::Account, key(&["account", &account])),
            ],
        };
        Self { keys }
    }

    /// By nothing but the address: where no name is typed.
    pub(crate) fn of_address(parts: &Parts) -> Self {
        Self { keys: vec![(Count::Address, secret::hash(&["address", &session::address(parts)].join("\n")))] }
    }

    fn names(&self) -> Vec<String> {
        self.keys.iter().map(|(_, key)| key.clone()).collect()
    }

    /// How much longer the try has to wait; zero when it may be made.
    pub(crate) async fn wait(&self, app: &App) -> Result<Duration, Failure> {
        let (names, now) = (self.names(), app.clock.now());
        let found = app.db(move |s| s.failures(&names)).await?;
        let waits = self.keys.iter().zip(found).map(|((count, _), f)| wait(*count, f.map(known), now));
        Ok(waits.max().unwrap_or_default())
    }

    /// Notes a failure.
    pub(crate) async fn failed(&self, app: &App) -> Result<(), Failure> {
        let (names, now) = (self.names(), app.clock.now());
        app.db(move |s| s.note_failure(&names, |before| stored(after_failure(before.map(known), now)))).await
    }

    /// Forgets the failures of an account that got in; those of the address go on counting for other accounts.
    pub(crate) async fn succeeded(&self, app: &App) -> Result<(), Failure> {
        let names: Vec<String> =
            self.keys.iter().filter(|(count, _)| *count == Count::Pair).map(|(_, key)| key.clone()).collect();
        app.db(move |s| s.forget_failures(&names)).await
    }
}

const fn known(f: FailureCount) -> Failures {
    Failures { count: f.count, last: f.last }
}

const fn stored(f: Failures) -> FailureCount {
    FailureCount { count: f.count, last: f.last }
}

/// The mark that a browser carries after a log-in: whose, since when, which browser, and that it was made here.
pub(crate) fn device_cookie(app: &App, account: &str, now: Timestamp) -> HeaderValue {
    let text = format!(
        "{}.{}.{}",
        now.as_millis() / 1_000,
        ::auth::to_base64(&rand::random::<[u8; 12]>()),
        account_hash(account)
    );
    let mark = app.login.sealer.mark(&text);
    let secure = if app.config.tls { "; Secure" } else { "" };
    let life = limits::DEVICE_MARK_LIFE.as_secs();
    let text = format!("{DEVICE_COOKIE}={text}.{mark}; Path=/; HttpOnly; SameSite=Lax; Max-Age={life}{secure}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The browser's own word, where it carries a mark of this account that is not too old.
fn device(app: &App, parts: &Parts, account: &str) -> Option<String> {
    let carried = cookie(parts, DEVICE_COOKIE)?;
    let (text, mark) = carried.rsplit_once('.')?;
    let mut fields = text.split('.');
    let (since, browser, whose) = (fields.next()?, fields.next()?, fields.next()?);
    let since = Timestamp::from_secs(since.parse().ok()?);
    let good = app.login.sealer.is_marked(text, mark)
        && whose == account_hash(account)
        && app.clock.now().since(since) < limits::DEVICE_MARK_LIFE;
    good.then(|| browser.to_owned())
}

fn account_hash(account: &str) -> String {
    secret::hash(&format!("device\n{}", account.trim().to_lowercase()))
}
