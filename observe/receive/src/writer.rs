//! Turns requests of senders into batches of the write port. Pure: the time is an argument, the store a port.
//!
//! The labels of a series as a sender sends them are hashed, and the hash leads to the series in the store; only the labels of new
//! series are read. No lock is held while the store commits.

mod answer;
mod cells;
mod groups;
mod intake;
mod labels;
mod sender;
mod table;
mod take;
mod trouble;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::HashMap;
use kernel::series::{SeriesReader, SeriesWriter};
use parking_lot::{Mutex, RwLock};

pub use answer::{Answer, Written};
pub(crate) use intake::{Intake, Target};
pub(crate) use labels::RawLabel;
use sender::Space;
pub use sender::{Sender, SenderName};
pub use trouble::Refusal;
pub(crate) use trouble::Trouble;

use crate::body::{self, BodyError, Packing};
use crate::limits::{Limits, Reason};
use crate::remote_write::{Message, V1, V2, negotiate};
use crate::wire::WireError;
use table::Keys;
use take::Scratch;

#[cfg(test)]
pub(crate) mod tests;

/// Most senders: they are named by who administers Farero, so more are a mistake.
pub const SENDERS: usize = 10_000;

/// Most senders of a space that are told apart; what is beyond them is one sender, [`OTHERS`]. Whoever has many addresses has not as many limits.
pub const SENDERS_OF_SPACE: usize = 1_000;

/// The name of all senders of a space together that are too many to be told apart.
pub const OTHERS: &str = "others";

/// Samples further ahead of the clock are refused, as Prometheus does: they would keep everything after them out.
pub const AHEAD_MS: i64 = 600_000;

/// Sets of buffers kept for the next requests; as many requests are seldom unpacked at the same time.
const SCRATCHES: usize = 8;

/// What the series and samples of a request are read from.
pub(crate) trait Request {
    /// Hands everything to `intake`, in the request's order.
    ///
    /// # Errors
    /// The request cannot be read; nothing of it is taken.
    fn walk(&self, intake: &mut Intake<'_>) -> Result<(), WireError>;

    /// What is left out without failing the request.
    fn silent(&self) -> Option<Reason> {
        None
    }
}

/// Labels as in a message, of what could not be taken.
pub(crate) fn raw_text(raw: &[RawLabel<'_>]) -> String {
    labels::raw_text(raw)
}

/// The receiver: what it knows of its senders' series, and the store it writes to.
pub struct Writer {
    store: Arc<dyn SeriesWriter>,
    /// Where totals of deltas go on after a restart; without it they begin anew.
    pub(crate) reader: Option<Arc<dyn SeriesReader>>,
    limits: Limits,
    keys: Keys,
    /// How many senders there were.
    numbers: AtomicU32,
    senders: RwLock<HashMap<SenderName, Arc<Sender>>>,
    scratches: Mutex<Vec<Scratch>>,
}

impl Writer {
    /// A receiver in front of a store; `limits` are those of senders that have none of their own.
    pub fn new(store: Arc<dyn SeriesWriter>, limits: Limits) -> Self {
        let (senders, scratches, numbers) = (RwLock::default(), Mutex::default(), AtomicU32::default());
        Self { store, reader: None, limits, keys: Keys::default(), numbers, senders, scratches }
    }

    /// With what was written before, so that totals of deltas go on where they were when the program ended.
    #[must_use]
    pub fn with_reader(mut self, reader: Arc<dyn SeriesReader>) -> Self {
        self.reader = Some(reader);
        self
    }

    /// The limits of senders that have none of their own.
    pub const fn usual_limits(&self) -> &Limits {
        &self.limits
    }

    /// A sender by its name, made when it is new. Of a space with many senders those go that sent nothing for long; a new one that has no place
    /// even so shares [`OTHERS`].
    ///
    /// # Errors
    /// There are [`SENDERS`] already.
    pub fn sender(&self, name: impl Into<SenderName>, now_ms: i64) -> Result<Arc<Sender>, Answer> {
        let mut name = name.into();
        if let Some(sender) = self.senders.read().get(&name) {
            return Ok(sender.clone());
        }
        let mut senders = self.senders.write();
        let of_space = |senders: &HashMap<SenderName, _>| senders.keys().filter(|n| n.space == name.space).count();
        if !name.sender.is_empty() && !senders.contains_key(&name) && of_space(&senders) >= SENDERS_OF_SPACE {
            senders.retain(|n, sender| n.space != name.space || !sender.is_idle(now_ms));
            if of_space(&senders) >= SENDERS_OF_SPACE {
                name.sender = OTHERS.to_owned();
            }
        }
        if !senders.contains_key(&name) && senders.len() >= SENDERS {
            return Err(Answer::failed(503, format!("there are {SENDERS} senders already, which is the limit")));
        }
        let shared = senders.iter().find(|(n, _)| n.space == name.space).map(|(_, sender)| sender.space.clone());
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let made = || {
            let space = shared.unwrap_or_else(|| Arc::new(Space::new(&name.space)));
            Arc::new(Sender::new(name.clone(), space, number, self.limits.clone()))
        };
        Ok(senders.entry(name.clone()).or_insert_with(made).clone())
    }

    /// All senders by name, for their counters.
    pub fn senders(&self) -> Vec<Arc<Sender>> {
        let mut all: Vec<_> = self.senders.read().values().cloned().collect();
        all.sort_by(|a, b| a.name().cmp(b.name()));
        all
    }

    /// Takes a remote-write request of version 1.0 or 2.0. The headers are empty when they are missing; `now_ms` is in
    /// milliseconds since the epoch. When it answers 204, all samples are durable.
    pub fn remote_write(
        &self,
        sender: impl Into<SenderName>,
        headers: (&str, &str),
        body: &[u8],
        now_ms: i64,
    ) -> Answer {
        let sender = match self.sender(sender, now_ms) {
            Ok(sender) => sender,
            Err(answer) => return answer,
        };
        let (message, packing) = match negotiate(headers.0, headers.1) {
            Ok(known) => known,
            Err(text) => {
                sender.counters().reject(Reason::Malformed, 1);
                return Answer::failed(415, text);
            }
        };
        let mut answer = self.with_body(&sender, packing, body, |plain, scratch| match message {
            Message::V1 => self.take(&sender, &V1(plain), now_ms, scratch),
            Message::V2 => self.take(&sender, &V2(plain), now_ms, scratch),
        });
        if answer.status == 200 {
            answer.status = 204;
        }
        answer.says_written = message == Message::V2;
        answer
    }

    /// Unpacks a body into a buffer that is used again.
    pub(crate) fn with_body(
        &self,
        sender: &Sender,
        packing: Packing,
        body: &[u8],
        take: impl FnOnce(&[u8], &mut Scratch) -> Answer,
    ) -> Answer {
        let limits = sender.limits();
        if body.len() > limits.body_bytes {
            sender.counters().reject(Reason::Body, 1);
            let text = format!(
                "the body has {} bytes, over the limit of {}: send smaller requests",
                body.len(),
                limits.body_bytes
            );
            return Answer::failed(413, text);
        }
        let mut scratch = self.scratches.lock().pop().unwrap_or_default();
        let mut plain = std::mem::take(&mut scratch.plain);
        let answer = match body::unpack_over(packing, body, limits.decoded_bytes, &mut plain) {
            Ok(length) => take(plain.get(..length).unwrap_or_default(), &mut scratch),
            Err(error) => {
                let (status, reason) = match error {
                    BodyError::TooLong { .. } => (413, Reason::Body),
                    BodyError::Damaged { .. } => (400, Reason::Malformed),
                };
                sender.counters().reject(reason, 1);
                Answer::failed(status, error.to_string())
            }
        };
        scratch.plain = plain;
        self.keep(scratch);
        answer
    }

    fn keep(&self, mut scratch: Scratch) {
        scratch.shrink();
        let mut kept = self.scratches.lock();
        if kept.len() < SCRATCHES {
            kept.push(scratch);
        }
    }
}
