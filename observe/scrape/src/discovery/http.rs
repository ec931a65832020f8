//! `http_sd_configs`: a list that a server gives. I/O.
//!
//! <https://prometheus.io/docs/prometheus/latest/http_sd/>

use std::time::Duration;

use super::Refresh;
use super::list::from_json;
use crate::client::{ClientError, HttpClient, Request};
use crate::config::{HttpDiscovery, TargetGroup};

/// One server.
pub(super) struct HttpList {
    url: String,
    refresh: Duration,
    client: HttpClient,
    request: Result<Request, ClientError>,
}

impl HttpList {
    pub(super) fn new(config: &HttpDiscovery) -> Self {
        let seconds = config.refresh.as_secs_f64().to_string();
        let headers = [("Accept", "application/json"), ("X-Prometheus-Refresh-Interval-Seconds", seconds.as_str())];
        Self {
            url: config.url.clone(),
            refresh: config.refresh,
            client: HttpClient::new(&config.http),
            request: Request::get(&config.url, &headers),
        }
    }
}

impl Refresh for HttpList {
    fn interval(&self) -> Duration {
        self.refresh
    }

    async fn refresh(&mut self) -> Result<Option<Vec<TargetGroup>>, String> {
        let request = self.request.as_ref().map_err(ToString::to_string)?;
        let (head, body) =
            self.client.get(request, self.refresh).await.map_err(|e| format!("Get {:?}: {e}", self.url))?;
        let said = head.content_type.unwrap_or_default();
        if !said.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
            return Err(format!("{}: unsupported content type {said:?}", self.url));
        }
        from_json(&body, &self.url, ("__meta_url", &self.url)).map(Some)
    }
}
