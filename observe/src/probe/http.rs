//! HTTP and HTTPS: one request on a new connection, redirects, and what the answer must be (CHK-01). I/O.
//!
//! As blackbox_exporter does, each check opens its own connection, so that it sees what a newcomer sees: name, port,
//! certificate and answer. What can be done once (URL, headers, patterns, TLS settings) is done when it is prepared.

use kernel::probe::{EVIDENCE_BODY_BYTES, Reading};
use plan_model::check::HttpCheck;

use super::tls::{Offer, TlsClient};
use super::{Attempt, PrepareError, Preparing, Probed};

mod exchange;
mod expect;
mod request;

pub(crate) use exchange::{Answer, BodyLimits};
pub(super) use exchange::{http_error, while_driving};

use exchange::perform_exchange;
use expect::{Expectation, Failures};
use request::{Hop, Template};

/// Redirects followed; browsers follow 20, blackbox_exporter 10.
const MOST_REDIRECTS: u32 = 10;

/// Of a body at most this much is read; what the answer must hold has to be found in it.
const BODY_LIMIT_BYTES: usize = 1 << 20;

/// An HTTP check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedHttp {
    asker: Asker,
    expect: Expectation,
}

/// Makes the check ready.
pub(crate) fn prepare_http(check: &HttpCheck, with: &Preparing<'_>) -> Result<PreparedHttp, PrepareError> {
    Ok(PreparedHttp { asker: Asker::prepare(check, with)?, expect: Expectation::prepare(&check.expect)? })
}

/// Asks once.
pub(crate) async fn probe_http(check: &PreparedHttp, attempt: &Attempt) -> Probed {
    // All that is read has to be kept when something is expected of it, else only the evidence.
    let kept = if check.expect.needs_body() { BODY_LIMIT_BYTES } else { 4 * EVIDENCE_BODY_BYTES };
    let asked = check.asker.ask(BodyLimits { kept, read: BODY_LIMIT_BYTES }, attempt).await;
    attempt.read(Reading::new("probe_http_redirects", f64::from(asked.redirects)));
    attempt.read(Reading::new("probe_http_ssl", f64::from(u8::from(asked.is_https))));
    match asked.answer {
        Ok(answer) => judge(check, &answer, attempt),
        Err(error) => {
            attempt.read(Reading::new("probe_http_status_code", 0.0));
            Probed::down(error)
        }
    }
}

fn judge(check: &PreparedHttp, answer: &Answer, attempt: &Attempt) -> Probed {
    answer.record(attempt);
    let Failures { reasons, by_pattern } = check.expect.judge(answer);
    attempt.read(Reading::new("probe_failed_due_to_regex", f64::from(u8::from(by_pattern))));
    let probed = if reasons.is_empty() { Probed::up() } else { Probed::down(reasons.join("; ")) };
    probed.with_status(answer.status_line()).with_body(answer.body())
}

/// A request that may be sent any number of times, each time on new connections; checks and scrapes use it.
#[derive(Debug)]
pub(crate) struct Asker {
    template: Template,
    first: Hop,
    follow_redirects: bool,
    /// `None` only for plain HTTP on a machine without certificate authorities.
    tls: Option<TlsClient>,
}

/// What came of asking.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The last answer, or why there is none.
    pub(crate) answer: Result<Answer, String>,
    redirects: u32,
    is_https: bool,
}

impl Asker {
    /// From a check's settings; what it expects is left to the caller.
    pub(crate) fn prepare(check: &HttpCheck, with: &Preparing<'_>) -> Result<Self, PrepareError> {
        let (template, first) = Template::prepare(check, with)?;
        let tls = TlsClient::prepare(&check.tls, Offer::Http, with);
        Ok(Self {
            tls: if first.is_https() { Some(tls?) } else { tls.ok() },
            template,
            first,
            follow_redirects: check.follow_redirects.unwrap_or(true),
        })
    }

    /// Sends the request and follows where the answers lead.
    pub(crate) async fn ask(&self, limits: BodyLimits, attempt: &Attempt) -> Asked {
        let mut redirects = 0;
        let mut hop = None;
        let answer = loop {
            let at = hop.as_ref().unwrap_or(&self.first);
            let request = self.template.request_for(at, &self.first);
            let answer = match perform_exchange(at, request, self.tls.as_ref(), limits, attempt).await {
                Ok(answer) => answer,
                Err(error) => break Err(error),
            };
            match answer.redirect_to().filter(|_| self.follow_redirects) {
                Some(_) if redirects == MOST_REDIRECTS => break Err(format!("more than {MOST_REDIRECTS} redirects")),
                Some(location) => match at.redirected(&location, answer.status(), self.template.method_at(at)) {
                    Ok(next) => hop = Some(next),
                    Err(error) => break Err(error),
                },
                None => break Ok(answer),
            }
            redirects += 1;
        };
        if let Some(last) = &hop {
            attempt.fact("redirected to", last.url());
        }
        Asked { answer, redirects, is_https: hop.as_ref().unwrap_or(&self.first).is_https() }
    }
}
