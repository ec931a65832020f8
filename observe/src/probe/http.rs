//! HTTP and HTTPS: one request on a new connection, redirects, and what the answer must be (CHK-01). I/O.
//!
//! As blackbox_exporter does, each check opens its own connection, so that it sees what a newcomer sees: name, port,
//! certificate and answer. What can be done once (URL, headers, patterns, TLS settings) is done when it is prepared.

use kernel::probe::Reading;
use plan_model::check::HttpCheck;

use super::tls::{Offer, TlsClient};
use super::{Attempt, PrepareError, Preparing, Probed};

mod exchange;
mod expect;
mod request;

pub(super) use exchange::{http_error, while_driving};

use exchange::{Answer, perform_exchange};
use expect::{Expectation, Failures};
use request::{Hop, Template};

/// Redirects followed; browsers follow 20, blackbox_exporter 10.
const MOST_REDIRECTS: u32 = 10;

/// Of a body at most this much is read; what the answer must hold has to be found in it.
const BODY_LIMIT_BYTES: usize = 1 << 20;

/// An HTTP check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedHttp {
    template: Template,
    first: Hop,
    follow_redirects: bool,
    /// `None` only for plain HTTP on a machine without certificate authorities.
    tls: Option<TlsClient>,
    expect: Expectation,
}

/// Makes the check ready.
pub(crate) fn prepare_http(check: &HttpCheck, with: &Preparing<'_>) -> Result<PreparedHttp, PrepareError> {
    let (template, first) = Template::prepare(check, with)?;
    let tls = TlsClient::prepare(&check.tls, Offer::Http, with);
    Ok(PreparedHttp {
        tls: if first.is_https() { Some(tls?) } else { tls.ok() },
        template,
        first,
        follow_redirects: check.follow_redirects.unwrap_or(true),
        expect: Expectation::prepare(&check.expect)?,
    })
}

/// Asks once.
pub(crate) async fn probe_http(check: &PreparedHttp, attempt: &Attempt) -> Probed {
    let mut redirects = 0;
    let mut hop = None;
    let answered = loop {
        let at = hop.as_ref().unwrap_or(&check.first);
        let request = check.template.request_for(at, &check.first);
        let answer = match perform_exchange(at, request, check.tls.as_ref(), body_kept(check), attempt).await {
            Ok(answer) => answer,
            Err(error) => break Err(error),
        };
        match check.follow_redirects.then(|| answer.redirect_to()).flatten() {
            Some(_) if redirects == MOST_REDIRECTS => break Err(format!("more than {MOST_REDIRECTS} redirects")),
            Some(location) => match at.redirected(&location, answer.status(), check.template.method_at(at)) {
                Ok(next) => hop = Some(next),
                Err(error) => break Err(error),
            },
            None => break Ok(answer),
        }
        redirects += 1;
    };
    attempt.read(Reading::new("probe_http_redirects", f64::from(redirects)));
    let last = hop.as_ref().unwrap_or(&check.first);
    attempt.read(Reading::new("probe_http_ssl", f64::from(u8::from(last.is_https()))));
    if redirects > 0 {
        attempt.fact("redirected to", last.url());
    }
    match answered {
        Ok(answer) => judge(check, &answer, attempt),
        Err(error) => Probed::down(error),
    }
}

/// How much of the body has to be kept: all that is read when something is expected of it, else the evidence.
const fn body_kept(check: &PreparedHttp) -> usize {
    if check.expect.needs_body() { BODY_LIMIT_BYTES } else { 4 * kernel::probe::EVIDENCE_BODY_BYTES }
}

fn judge(check: &PreparedHttp, answer: &Answer, attempt: &Attempt) -> Probed {
    answer.record(attempt);
    let Failures { reasons, by_pattern } = check.expect.judge(answer);
    attempt.read(Reading::new("probe_failed_due_to_regex", f64::from(u8::from(by_pattern))));
    let probed = if reasons.is_empty() { Probed::up() } else { Probed::down(reasons.join("; ")) };
    probed.with_status(answer.status_line()).with_body(answer.body())
}
