//! Idempotency keys of outbox entries. Pure.
//!
//! | what | key |
//! | --- | --- |
//! | one event | `<event id>/<channel>`, the event id being `<fingerprint>-<fired at, ms>-<kind>` |
//! | several events in one message | `batch-<hash of the event ids>/<channel>` |
//! | a digest | `digest-<system>-<severity>-<due at, ms>/<channel>` |
//! | a test | `test-<time, ms>/<channel>` |
//!
//! The part before the slash says what is told, the part after it whom. A fallback keeps the first part, so a channel
//! that was to hear of something anyway is not told a second time because another one failed.

use kernel::Timestamp;
use kernel::hash::fnv1a;

/// What is told, to whom.
pub fn key(what: &str, channel: &str) -> String {
    format!("{what}/{channel}")
}

/// The same thing told to another channel.
pub fn for_channel(key: &str, channel: &str) -> String {
    let what = key.rsplit_once('/').map_or(key, |(what, _)| what);
    self::key(what, channel)
}

/// What is told: these events together, whatever their order.
pub fn what_events(ids: &[&str]) -> String {
    if let [one] = ids {
        return (*one).to_owned();
    }
    let mut sorted: Vec<&str> = ids.to_vec();
    sorted.sort_unstable();
    let hash = fnv1a(sorted.iter().flat_map(|id| id.bytes().chain([0xff])));
    format!("batch-{hash:016x}")
}

/// What is told: the digest of a severity that was due at a time.
pub fn what_digest(system: &str, severity: &str, due: Timestamp) -> String {
    format!("digest-{system}-{severity}-{}", due.as_millis())
}

/// The mark of the last digest of a severity.
pub fn digest_mark(system: &str, severity: &str) -> String {
    format!("digest/{system}/{severity}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chn_08_keys_tell_what_and_whom() {
        assert_eq!(key("00ab-17-fired", "equipo"), "00ab-17-fired/equipo");
        assert_eq!(for_channel("00ab-17-fired/equipo", "slack"), "00ab-17-fired/slack");
        assert_eq!(what_events(&["a"]), "a");
        assert_eq!(what_events(&["a", "b"]), what_events(&["b", "a"]));
        assert_ne!(what_events(&["a", "b"]), what_events(&["ab"]));
        assert_ne!(what_events(&["a", "bc"]), what_events(&["ab", "c"]));
    }
}
