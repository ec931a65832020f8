//! How many messages a channel takes in how much time, and which of those that wait goes first. Pure.

use kernel::Timestamp;
use kernel::message::OutboxEntry;
use plan_model::channel::RateLimit;

/// When the next message may go: now, or at a later time. `sent` are the times at which messages were taken, in any order.
pub fn decide_rate(limit: Option<&RateLimit>, sent: &[Timestamp], now: Timestamp) -> Result<(), Timestamp> {
    let Some(limit) = limit else { return Ok(()) };
    let mut recent: Vec<Timestamp> = sent.iter().copied().filter(|t| *t + limit.per.std() > now).collect();
    recent.sort_unstable();
    let allowed = usize::try_from(limit.messages.max(1)).unwrap_or(usize::MAX);
    match recent.len().checked_sub(allowed) {
        None => Ok(()),
        Some(i) => Err(recent[i] + limit.per.std()),
    }
}

/// Order in which waiting entries go out: the gravest first, among those the oldest.
pub fn decide_order(entries: &mut [OutboxEntry]) {
    entries.sort_by(|a, b| {
        (b.message.rank, a.created_at, a.due_at, &a.key).cmp(&(a.message.rank, b.created_at, b.due_at, &b.key))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Duration;

    #[test]
    fn chn_08_a_channel_takes_so_many_in_so_much_time() {
        let limit = RateLimit { messages: 2, per: Duration::from_mins(60) };
        let t = |minute: i64| Timestamp::from_secs(minute * 60);
        let check = |sent: &[i64], now: i64, expect: Result<(), Timestamp>| {
            let sent: Vec<Timestamp> = sent.iter().map(|m| t(*m)).collect();
            assert_eq!(decide_rate(Some(&limit), &sent, t(now)), expect, "{sent:?} at {now}");
        };
        check(&[], 10, Ok(()));
        check(&[0], 10, Ok(()));
        check(&[5, 0], 10, Err(t(60)));
        check(&[0, 5], 60, Ok(()));
        check(&[0, 5, 9], 20, Err(t(65)));
        assert_eq!(decide_rate(None, &[t(0); 100], t(0)), Ok(()));
    }
}
