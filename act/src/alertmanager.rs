//! Alerts for Alertmanagers: `POST /api/v2/alerts`. I/O: HTTP.
//!
//! <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>

use std::time::Duration;

use kernel::{Labels, Timestamp};
pub use reqwest::{Client, Url};
use serde::Serialize;

/// What follows an Alertmanager's address.
pub const PATH: &str = "api/v2/alerts";

/// An answer that refuses is shown up to this length.
const LONGEST_ANSWER: usize = 300;

/// One alert as the API takes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PostedAlert {
    /// Its labels; they are its identity.
    pub labels: Labels,
    /// Its texts.
    pub annotations: Labels,
    /// Since when it fires.
    pub starts_at: Timestamp,
    /// When it was over, or until when it is true should no further word of it come.
    pub ends_at: Timestamp,
    /// Where what it is made from can be seen.
    #[serde(rename = "generatorURL")]
    pub generator_url: String,
}

/// The address that alerts are posted to: an Alertmanager's own with a path before it.
///
/// # Errors
/// The address is none.
pub fn address(scheme: &str, host: &str, path_prefix: &str) -> Result<Url, String> {
    let prefix = path_prefix.trim_matches('/');
    let slash = if prefix.is_empty() { "" } else { "/" };
    let text = format!("{scheme}://{host}/{prefix}{slash}{PATH}");
    if host.is_empty() {
        return Err(format!("`{text}` is no address of an Alertmanager: it names no host"));
    }
    text.parse().map_err(|e| format!("`{text}` is no address of an Alertmanager: {e}"))
}

/// A client with TLS and headers of its own, over a proxy where one is named.
///
/// # Errors
/// A header or the proxy cannot be used.
pub fn client(
    tls: rustls::ClientConfig,
    headers: Vec<(String, String)>,
    proxy: Option<&str>,
) -> Result<Client, String> {
    let mut all = reqwest::header::HeaderMap::new();
    for (name, value) in headers {
        let wrong = |_| format!("`{name}` is no header that can be sent");
        let parsed = reqwest::header::HeaderName::try_from(name.as_str()).map_err(|e| wrong(e.to_string()))?;
        let mut value = reqwest::header::HeaderValue::try_from(value).map_err(|e| wrong(e.to_string()))?;
        value.set_sensitive(true);
        all.append(parsed, value);
    }
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .default_headers(all)
        .user_agent(concat!("Farero/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none());
    if let Some(proxy) = proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(|e| format!("the proxy {proxy}: {e}"))?);
    }
    builder.build().map_err(|e| e.to_string())
}

/// What is posted for some alerts.
///
/// # Errors
/// Never in practice: labels and times are always JSON.
pub fn body(alerts: &[PostedAlert]) -> Result<Vec<u8>, String> {
    serde_json::to_vec(alerts).map_err(|e| e.to_string())
}

/// Posts alerts. Whether to try again is for whoever asked to decide.
///
/// # Errors
/// The Alertmanager was not reached within `limit`, or did not take them: its words.
pub async fn post(client: &Client, url: &Url, body: Vec<u8>, limit: Duration) -> Result<(), String> {
    let request = client.post(url.clone()).header("content-type", "application/json").timeout(limit).body(body);
    let answer = request.send().await.map_err(crate::notify::describe)?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let said: String = answer.text().await.unwrap_or_default().chars().take(LONGEST_ANSWER).collect();
    Err(format!("bad response status {status}: {}", said.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_the_prefix_between() {
        let of = |prefix| address("http", "am:9093", prefix).map(|u| u.to_string());
        assert_eq!(of(""), Ok("http://am:9093/api/v2/alerts".into()));
        assert_eq!(of("/alertmanager/"), Ok("http://am:9093/alertmanager/api/v2/alerts".into()));
        assert!(address("http", "", "").is_err());
    }

    #[test]
    fn alerts_are_the_api_s_json() {
        let alert = PostedAlert {
            labels: Labels::new([("alertname", "Down")]),
            annotations: Labels::default(),
            starts_at: Timestamp::from_secs(1),
            ends_at: Timestamp::from_secs(2),
            generator_url: "http://x/graph".into(),
        };
        let text = String::from_utf8(body(&[alert]).unwrap()).unwrap();
        let expect = concat!(
            r#"[{"labels":{"alertname":"Down"},"annotations":{},"startsAt":"1970-01-01T00:00:01.000Z","#,
            r#""endsAt":"1970-01-01T00:00:02.000Z","generatorURL":"http://x/graph"}]"#
        );
        assert_eq!(text, expect);
    }
}
