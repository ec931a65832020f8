//! One list that is followed: listed in pages, then watched for changes. I/O.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::objects::{Kind, Object, WatchKey};
use super::{Found, Shared, Updates};
use crate::client::{ClientError, HttpClient, Request};

/// Objects in one page of a list.
const PAGE: u32 = 500;

/// A page has so long to come.
const LIST_TIMEOUT: Duration = Duration::from_secs(30);

/// The server ends a watch after this; then it is begun again where it was.
const WATCH_SECONDS: u64 = 300;

/// After that much silence beyond the end of a watch the connection is taken for dead.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS + 30);

/// After failures it is tried again, later each time.
const LEAST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    metadata: ListMeta,
    #[serde(default)]
    items: Option<Vec<Object>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ListMeta {
    resource_version: String,
    r#continue: String,
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    object: serde_json::Value,
}

/// A list that is followed.
pub(super) struct Watch {
    key: WatchKey,
    url: String,
    selectors: String,
}

/// Why a watch ended.
enum Ended {
    /// Goes on from there.
    At(String),
    /// What was known is too old: it has to be listed again.
    Gone,
}

fn read_page(body: &[u8]) -> Result<List, ClientError> {
    let mut list: List =
        serde_json::from_slice(body).map_err(|e| ClientError::Malformed(format!("the list cannot be read: {e}")))?;
    list.items.iter_mut().flatten().for_each(Object::slim);
    Ok(list)
}

impl Watch {
    pub(super) fn new(kind: Kind, server: &str, namespace: Option<&str>, label: &str, field: &str) -> Self {
        let (group, plural) = kind.path();
        let place = namespace.map(|n| format!("/namespaces/{n}")).unwrap_or_default();
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let mut selectors = String::new();
        for (name, value) in [("labelSelector", label), ("fieldSelector", field)] {
            if !value.is_empty() {
                selectors.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        let url = format!("{}{group}{place}/{plural}", server.trim_end_matches('/'));
        Self { key: (kind, namespace.map(str::to_owned)), url, selectors }
    }

    pub(super) fn key(&self) -> WatchKey {
        self.key.clone()
    }

    /// Follows the list until it is dropped.
    pub(super) async fn run(self, client: Arc<HttpClient>, shared: Arc<Shared>, updates: Updates) {
        let mut pause = LEAST_PAUSE;
        loop {
            match self.follow(&client, &shared).await {
                Ok(()) => pause = LEAST_PAUSE,
                Err(reason) => {
                    updates.tell(Found::Failed(format!("{}: {reason}", self.url)));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn follow(&self, client: &HttpClient, shared: &Shared) -> Result<(), ClientError> {
        let mut version = self.list(client, shared).await?;
        loop {
            match self.watch(client, shared, &version).await? {
                Ended::At(at) => version = at,
                Ended::Gone => return Ok(()),
            }
        }
    }

    async fn list(&self, client: &HttpClient, shared: &Shared) -> Result<String, ClientError> {
        let mut objects = Vec::new();
        let mut next = String::new();
        loop {
            let page = format!("{}?limit={PAGE}{}{next}", self.url, self.selectors);
            let request = Request::get(&page, &[("Accept", "application/json"), ("Accept-Encoding", "gzip")])?;
            let (_, body) = client.get(&request, LIST_TIMEOUT).await?;
            // A page may have megabytes: scrapes do not wait for it.
            let read = tokio::task::spawn_blocking(move || read_page(&body)).await;
            let mut list = read.map_err(|e| ClientError::Malformed(e.to_string()))??;
            objects.append(list.items.get_or_insert_default());
            if list.metadata.r#continue.is_empty() {
                shared.world.lock().replace(&self.key, objects);
                shared.changed.notify_one();
                return Ok(list.metadata.resource_version);
            }
            let token: String = url::form_urlencoded::byte_serialize(list.metadata.r#continue.as_bytes()).collect();
            next = format!("&continue={token}");
        }
    }

    async fn watch(&self, client: &HttpClient, shared: &Shared, from: &str) -> Result<Ended, ClientError> {
        let url = format!(
            "{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={from}{}",
            self.url, self.selectors
        );
        let mut version = from.to_owned();
        let request = Request::get(&url, &[("Accept", "application/json")])?;
        let mut lines = match client.lines(&request).await {
            Err(ClientError::Status(status)) if status.starts_with("410") => return Ok(Ended::Gone),
            lines => lines?,
        };
        loop {
            let line = tokio::time::timeout(SILENCE, lines.next()).await.map_err(|_| ClientError::Timeout)??;
            let Some(line) = line else { return Ok(Ended::At(version)) };
            if line.trim_ascii().is_empty() {
                continue;
            }
            let unreadable = |e| ClientError::Malformed(format!("an event cannot be read: {e}"));
            let event: Event = serde_json::from_slice(&line).map_err(unreadable)?;
            if event.r#type == "ERROR" {
                let code = event.object.get("code").and_then(serde_json::Value::as_u64);
                let message = event.object.get("message").and_then(serde_json::Value::as_str).unwrap_or("error");
                return if code == Some(410) { Ok(Ended::Gone) } else { Err(ClientError::Malformed(message.into())) };
            }
            let mut object: Object = serde_json::from_value(event.object).map_err(unreadable)?;
            object.slim();
            version.clone_from(&object.metadata.resource_version);
            match event.r#type.as_str() {
                "ADDED" | "MODIFIED" => shared.world.lock().put(&self.key, object),
                "DELETED" => shared.world.lock().remove(&self.key, &object),
                // BOOKMARK: only where it was.
                _ => continue,
            }
            shared.changed.notify_one();
        }
    }
}
