//! The log without secrets: whatever is logged passes here on its way out. I/O: the log's stream.
//!
//! Nothing should ever log a secret; this is the net under it, for what other programs' errors bring along. It knows every
//! value that the references of any plan stood for since the start.

use std::io::Write;

use kernel::secret::{Redactor, Secret};
use parking_lot::RwLock;

static KNOWN: RwLock<Option<Redactor>> = RwLock::new(None);

/// Takes these secrets out of everything that is logged from now on, besides those known already.
pub fn learn(secrets: impl IntoIterator<Item = Secret>) {
    let mut known = KNOWN.write();
    let before = known.clone().unwrap_or_default();
    let more = before.beside(secrets);
    if !more.secrets().is_empty() {
        *known = Some(before.with(more.secrets().iter().cloned()));
    }
}

/// A text without the secrets known so far.
pub fn redact(text: &str) -> String {
    match &*KNOWN.read() {
        Some(redactor) => redactor.redact(text),
        None => text.to_owned(),
    }
}

/// A stream that the log is written to; each write is one whole event.
pub struct Redacting<W>(pub W);

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        let redactor = KNOWN.read().clone();
        match redactor {
            Some(redactor) => self.0.write_all(&redactor.redacted_bytes(event))?,
            None => self.0.write_all(event)?,
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_12_what_was_learned_is_not_logged() {
        let mut out = Vec::new();
        Redacting(&mut out).write_all(b"before canary-of-the-log\n").unwrap();
        learn([Secret::new("canary-of-the-log".into())]);
        learn([Secret::new("canary-of-another".into())]);
        Redacting(&mut out).write_all(b"after canary-of-the-log, canary-of-another\n").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "before canary-of-the-log\nafter [redacted], [redacted]\n");
        assert_eq!(redact("x canary-of-the-log"), "x [redacted]");
    }
}
