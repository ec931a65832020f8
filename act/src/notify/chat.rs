//! What the chat channels have in common: cutting to a length, an emoji-free mark for each state, colours. Pure.

use kernel::Rank;
use kernel::alert::EventKind;
use kernel::message::{Message, MessageItem, MessageKind};

/// At most so many events are shown one by one in a chat message; the rest is counted and stands behind the link.
pub(super) const SHOWN_ITEMS: usize = 10;

/// Cuts a text to at most `max` characters, ending in an ellipsis when something was cut.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(max.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// Colour of a message: green once all is well again, else by rank. 0xRRGGBB.
pub(super) fn colour(message: &Message) -> u32 {
    if message.kind == MessageKind::Resolved {
        return 0x002e_7d32;
    }
    match message.rank {
        Rank::Critical => 0x00c6_2828,
        Rank::High => 0x00d8_4315,
        Rank::Warning => 0x00ef_8f00,
        Rank::Low => 0x0015_65c0,
        Rank::Info => 0x0054_6e7a,
    }
}

/// One event as a line of text.
pub(super) fn item_line(item: &MessageItem, language: kernel::Language) -> String {
    let mark = match item.kind {
        EventKind::Fired => language.pick("ALERTA", "ALERT"),
        EventKind::Resolved => language.pick("RECUPERADO", "RECOVERED"),
        EventKind::Informed => "INFO",
    };
    format!("{mark} · {}", item.summary)
}

/// `and 7 more`, when not all events are shown.
pub(super) fn more(message: &Message) -> Option<String> {
    let hidden = message.items.len().checked_sub(SHOWN_ITEMS).filter(|n| *n > 0)?;
    Some(match message.language {
        kernel::Language::Es => format!("y {hidden} más"),
        kernel::Language::En => format!("and {hidden} more"),
    })
}

/// The facts of one event with their names.
pub(super) fn facts(item: &MessageItem, language: kernel::Language) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    if !item.value.is_empty() {
        out.push((language.pick("Valor", "Value"), item.value.clone()));
    }
    if !item.since.is_empty() {
        out.push((language.pick("Desde", "Since"), item.since.clone()));
    }
    if let Some(runbook) = &item.runbook {
        out.push(("Runbook", runbook.clone()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_characters_not_bytes() {
        assert_eq!(cut("año nuevo", 4), "año…");
        assert_eq!(cut("año", 3), "año");
    }
}
