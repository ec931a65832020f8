//! Alerts on their way to Alertmanagers: a queue with a limit, batches, everything counted. I/O: HTTP.
//!
//! As in Prometheus: what does not fit pushes the oldest out, a batch that no Alertmanager took is lost. The rules tell what still
//! fires again and again, so nothing has to be kept.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use act::alertmanager::{Client, PostedAlert, Url, body, post};
use decide::rules::prometheus::Notice;
use kernel::Labels;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use crate::counters::Counter;

/// So many alerts wait at most (`alertmanager.notification-queue-capacity`); the oldest go first.
pub const QUEUE_CAPACITY: usize = 10_000;

/// So many alerts go in one request (`alertmanager.notification-batch-size`).
pub const BATCH: usize = 256;

/// Gives an alert's labels after relabeling; `None` where it is dropped.
pub type Relabel = dyn Fn(Labels) -> Option<Labels> + Send + Sync;

/// An Alertmanager.
#[derive(Clone)]
pub struct Alertmanager {
    /// Where alerts are posted, see [`act::alertmanager::address`].
    pub url: Url,
    /// How long a request may take.
    pub timeout: Duration,
    /// How it is reached.
    pub client: Client,
    /// Its own `alert_relabel_configs`.
    pub relabel: Option<Arc<Relabel>>,
}

/// What is known of one Alertmanager's requests.
#[derive(Debug, Default)]
pub struct Sent {
    /// Alerts it took.
    pub alerts: Counter,
    /// Alerts it did not take.
    pub errors: Counter,
}

/// What is added to alerts before they go.
#[derive(Clone, Default)]
pub struct Dressing {
    /// Labels that an alert gets where it has none of that name.
    pub external_labels: Labels,
    /// `alert_relabel_configs`
    pub relabel: Option<Arc<Relabel>>,
    /// This server's address, for links.
    pub external_url: String,
}

/// The queue.
#[derive(Default)]
pub struct Notifier {
    queue: Mutex<VecDeque<PostedAlert>>,
    more: Notify,
    managers: RwLock<Vec<(Alertmanager, Arc<Sent>)>>,
    dressing: RwLock<Dressing>,
    /// Alerts that were pushed out of the queue, or that no Alertmanager took.
    pub dropped: Counter,
}

impl Notifier {
    /// What to add from now on.
    pub fn dress(&self, dressing: Dressing) {
        *self.dressing.write() = dressing;
    }

    /// Whom to tell from now on. Counts of those that stay go on.
    pub fn set_managers(&self, managers: Vec<Alertmanager>) {
        let mut known = self.managers.write();
        let before = std::mem::take(&mut *known);
        let count = |m: &Alertmanager| before.iter().find(|(b, _)| b.url == m.url).map(|(_, sent)| sent.clone());
        *known = managers.into_iter().map(|m| (m.clone(), count(&m).unwrap_or_default())).collect();
    }

    /// Whom alerts are told, and what became of them.
    pub fn managers(&self) -> Vec<(Url, Arc<Sent>)> {
        self.managers.read().iter().map(|(m, sent)| (m.url.clone(), sent.clone())).collect()
    }

    /// How many alerts wait.
    pub fn waiting(&self) -> usize {
        self.queue.lock().len()
    }

    /// Queues what the rules want told.
    pub fn push(&self, notices: Vec<Notice>) {
        if notices.is_empty() || self.managers.read().is_empty() {
            return;
        }
        let dressing = self.dressing.read().clone();
        let mut queue = self.queue.lock();
        queue.extend(notices.into_iter().filter_map(|notice| dressed(notice, &dressing)));
        let over = queue.len().saturating_sub(QUEUE_CAPACITY);
        if over > 0 {
            queue.drain(..over);
            self.dropped.add(over as u64);
            tracing::warn!(
                dropped = over,
                limit = QUEUE_CAPACITY,
                "the queue of alerts is full, the oldest are dropped"
            );
        }
        drop(queue);
        self.more.notify_one();
    }

    /// Sends what comes, until the task is ended.
    pub async fn run(self: Arc<Self>) {
        loop {
            let batch: Vec<PostedAlert> = {
                let mut queue = self.queue.lock();
                let count = queue.len().min(BATCH);
                queue.drain(..count).collect()
            };
            match batch.is_empty() {
                true => self.more.notified().await,
                false => self.send(batch).await,
            }
        }
    }

    /// Sends a batch to all Alertmanagers at once.
    async fn send(&self, batch: Vec<PostedAlert>) {
        let managers = self.managers.read().clone();
        let sending = managers.iter().map(|(manager, sent)| send_to(manager, sent, &batch));
        let taken = futures_util::future::join_all(sending).await;
        if !taken.contains(&true) {
            self.dropped.add(batch.len() as u64);
        }
    }
}

/// An alert as it goes out.
fn dressed(notice: Notice, dressing: &Dressing) -> Option<PostedAlert> {
    let mut pairs = dressing.external_labels.pairs().to_vec();
    pairs.extend_from_slice(notice.labels.pairs());
    let labels = Labels::from_shared(pairs);
    let labels = match &dressing.relabel {
        Some(relabel) => relabel(labels)?,
        None => labels,
    };
    let expression = decide::rules::template::builtins::url_query(&notice.expression);
    let base = dressing.external_url.trim_end_matches('/');
    Some(PostedAlert {
        labels,
        annotations: notice.annotations,
        starts_at: notice.starts_at,
        ends_at: notice.ends_at,
        generator_url: format!("{base}/graph?g0.expr={expression}&g0.tab=1"),
    })
}

async fn send_to(manager: &Alertmanager, sent: &Sent, batch: &[PostedAlert]) -> bool {
    let own: Vec<PostedAlert> = match &manager.relabel {
        None => batch.to_vec(),
        Some(relabel) => {
            let each = |a: &PostedAlert| Some(PostedAlert { labels: relabel(a.labels.clone())?, ..a.clone() });
            batch.iter().filter_map(each).collect()
        }
    };
    if own.is_empty() {
        return true;
    }
    let count = own.len() as u64;
    let done = match body(&own) {
        Ok(body) => post(&manager.client, &manager.url, body, manager.timeout).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => {
            sent.alerts.add(count);
            true
        }
        Err(error) => {
            sent.errors.add(count);
            tracing::error!(alertmanager = %manager.url, count, %error, "alerts were not taken");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Timestamp;

    fn notice(name: &str) -> Notice {
        Notice {
            labels: Labels::new([("alertname", name), ("site", "cusco")]),
            annotations: Labels::default(),
            starts_at: Timestamp::from_secs(1),
            ends_at: Timestamp::from_secs(2),
            expression: "up == 0".into(),
        }
    }

    fn notifier(url: &str) -> Notifier {
        let notifier = Notifier::default();
        let client = act::http_client().unwrap().clone();
        let (url, timeout) = (url.parse().unwrap(), Duration::from_secs(1));
        notifier.set_managers(vec![Alertmanager { url, timeout, client, relabel: None }]);
        notifier
    }

    #[tokio::test]
    async fn alr_23_alerts_are_dressed_and_the_oldest_pushed_out() {
        let notifier = notifier("http://127.0.0.1:1/api/v2/alerts");
        let relabel: Arc<Relabel> =
            Arc::new(|l: Labels| (l.get("alertname") != Some("Dropped")).then(|| l.with("x", "1")));
        let external_labels = Labels::new([("site", "lima"), ("zone", "a")]);
        let external_url = "http://x.example/p/".to_owned();
        notifier.dress(Dressing { external_labels, relabel: Some(relabel), external_url });
        notifier.push(vec![notice("Dropped"), notice("First")]);
        let first = notifier.queue.lock()[0].clone();
        assert_eq!(first.labels, Labels::new([("alertname", "First"), ("site", "cusco"), ("x", "1"), ("zone", "a")]));
        assert_eq!(first.generator_url, "http://x.example/p/graph?g0.expr=up+%3D%3D+0&g0.tab=1");
        notifier.push((0..QUEUE_CAPACITY).map(|_| notice("Next")).collect());
        assert_eq!((notifier.waiting(), notifier.dropped.get()), (QUEUE_CAPACITY, 1));
        assert_eq!(notifier.queue.lock()[0].labels.get("alertname"), Some("Next"));
    }

    #[tokio::test]
    async fn alr_23_what_nobody_took_is_counted() {
        let notifier = notifier("http://127.0.0.1:1/api/v2/alerts");
        notifier.push(vec![notice("A"), notice("B")]);
        let batch: Vec<PostedAlert> = notifier.queue.lock().drain(..).collect();
        notifier.send(batch).await;
        let (_, sent) = notifier.managers()[0].clone();
        assert_eq!((sent.errors.get(), sent.alerts.get(), notifier.dropped.get()), (2, 0, 2));
    }
}
