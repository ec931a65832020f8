//! Receives every message that would have gone out: mail over SMTP, webhooks and SMS over HTTP. I/O.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde::Serialize;

mod hooks;
mod smtp;

/// At most so many messages are kept; the oldest go first.
const KEPT: usize = 500;

/// One message as it arrived.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Mail {
    /// Number in the order of arrival, from 1.
    pub(crate) number: u64,
    /// `email`, `slack`, `sms`, `discord`, `webhook`.
    pub(crate) channel: String,
    /// Milliseconds since the epoch.
    pub(crate) at_ms: u64,
    /// Whom it is for, where the channel says so.
    pub(crate) to: String,
    /// Its first line.
    pub(crate) subject: String,
    /// Its text.
    pub(crate) text: String,
}

/// The messages, newest last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox {
    messages: Arc<parking_lot::Mutex<Vec<Mail>>>,
    counter: Arc<AtomicU64>,
}

impl Inbox {
    pub(crate) fn add(&self, channel: &str, to: String, subject: String, text: String) {
        let at_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
        let mail = Mail {
            number: self.counter.fetch_add(1, Ordering::Relaxed) + 1,
            channel: channel.to_owned(),
            at_ms: u64::try_from(at_ms).unwrap_or(0),
            to,
            subject,
            text,
        };
        let mut messages = self.messages.lock();
        messages.push(mail);
        let surplus = messages.len().saturating_sub(KEPT);
        messages.drain(..surplus);
    }

    /// Those after a number, oldest first.
    pub(crate) fn after(&self, number: u64) -> Vec<Mail> {
        self.messages.lock().iter().filter(|m| m.number > number).cloned().collect()
    }
}

/// The receivers that were started.
pub(crate) struct Receivers {
    /// Makes the mail server refuse while it is true.
    pub(crate) mail: Arc<AtomicBool>,
    /// Environment variables that the plan's channels read.
    pub(crate) environment: Vec<(String, String)>,
}

/// Starts all receivers; they run as long as the runtime.
pub(crate) async fn receive(inbox: Inbox) -> Result<Receivers> {
    let mail = Arc::new(AtomicBool::new(false));
    let smtp = smtp::serve(inbox.clone(), mail.clone()).await?;
    let hooks = hooks::serve(inbox).await?;
    let environment = [
        ("SIGCERH_SMTP_SERVER", format!("127.0.0.1:{smtp}")),
        ("SIGCERH_EMAIL_TO", "equipo@sigcerh.example".to_owned()),
        ("SIGCERH_SLACK_URL", format!("http://127.0.0.1:{hooks}/slack")),
        ("SIGCERH_DISCORD_URL", format!("http://127.0.0.1:{hooks}/discord")),
        ("SIGCERH_SMS_URL", format!("http://127.0.0.1:{hooks}/sms")),
    ];
    Ok(Receivers { mail, environment: environment.into_iter().map(|(k, v)| (k.to_owned(), v)).collect() })
}
