//! The HTML part of an e-mail: tables and inline styles, because mail programs know nothing else; no image, no remote content. Pure.

use kernel::alert::EventKind;
use kernel::html::escape;
use kernel::message::{Message, MessageItem};

use super::chat::{colour, facts};

/// The whole HTML document of a message.
pub(super) fn render(message: &Message) -> String {
    let mut body = String::new();
    if message.items.is_empty() {
        body.push_str(&format!("<p style=\"white-space:pre-line;margin:0 0 16px\">{}</p>", escape(&message.text)));
    }
    for item in &message.items {
        body.push_str(&item_block(item, message));
    }
    if let Some(link) = &message.link {
        body.push_str(&format!(
            "<p style=\"margin:20px 0 0\"><a href=\"{0}\" style=\"background:#12343b;color:#ffffff;padding:10px 16px;\
             border-radius:6px;text-decoration:none\">{1}</a></p>",
            escape(link),
            message.language.pick("Abrir en Farero", "Open in Farero")
        ));
    }
    format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title></head><body style=\"margin:0;padding:16px;background:#f2f4f5;color:#1b2529;\
         font:15px/1.5 system-ui,-apple-system,Segoe UI,Roboto,sans-serif\">\
         <table role=\"presentation\" style=\"max-width:640px;width:100%;margin:0 auto;background:#ffffff;border-radius:8px;\
         border-top:6px solid #{colour:06x}\"><tr><td style=\"padding:20px 24px\">\
         <p style=\"margin:0;color:#5a6b72\">{system} · {severity}</p>\
         <h1 style=\"margin:4px 0 16px;font-size:20px\">{title}</h1>{body}</td></tr></table></body></html>",
        lang = message.language.tag(),
        title = escape(&message.title),
        colour = colour(message),
        system = escape(&message.system_label),
        severity = escape(&message.severity_label),
    )
}

fn item_block(item: &MessageItem, message: &Message) -> String {
    let mark = match item.kind {
        EventKind::Fired => "#c62828",
        EventKind::Resolved => "#2e7d32",
        EventKind::Informed => "#546e7a",
    };
    let mut rows = String::new();
    for (name, value) in facts(item, message.language) {
        rows.push_str(&format!(
            "<tr><td style=\"padding:2px 12px 2px 0;color:#5a6b72;vertical-align:top\">{name}</td><td>{}</td></tr>",
            escape(&value)
        ));
    }
    let description = if item.description.is_empty() {
        String::new()
    } else {
        format!("<p style=\"margin:4px 0;white-space:pre-line\">{}</p>", escape(&item.description))
    };
    format!(
        "<div style=\"border-left:4px solid {mark};padding:2px 0 2px 12px;margin:0 0 16px\"><strong>{}</strong>{description}\
         <table role=\"presentation\">{rows}</table></div>",
        escape(&item.summary)
    )
}
