//! The table of roles as the manual shows it, made from the table that decides. Pure.

use std::fmt::Write as _;

use kernel::Language;
use kernel::access::{Kind, Role, TABLE, Verb};

/// What a role may do to a kind of thing, in words; a dash for nothing.
pub fn cell(role: Role, kind: Kind, language: Language) -> String {
    let verbs: Vec<&str> = role.verbs(kind).iter().map(|v| v.label(language)).collect();
    if verbs.is_empty() { "—".to_owned() } else { verbs.join(", ") }
}

/// The table in Markdown: a row per role, a column per kind of thing.
pub fn markdown(language: Language) -> String {
    let mut out = String::new();
    let head = language.pick("rol", "role");
    let kinds: Vec<&str> = Kind::ALL.iter().map(|k| k.label(language)).collect();
    // Writing into a String cannot fail.
    let _ = writeln!(out, "| {head} | {} |", kinds.join(" | "));
    let _ = writeln!(out, "| --- |{}", " --- |".repeat(kinds.len()));
    for (role, _) in TABLE {
        let cells: Vec<String> = Kind::ALL.iter().map(|k| cell(role, *k, language)).collect();
        let _ = writeln!(out, "| `{role}` ({}) | {} |", role.label(language), cells.join(" | "));
    }
    out
}

/// What a verb means, in a sentence.
pub const fn meaning(verb: Verb, language: Language) -> &'static str {
    match verb {
        Verb::See => language.pick("Mirar.", "Look at it."),
        Verb::Acknowledge => language.pick(
            "Atender una alerta; confirmar que un mensaje se comunicó.",
            "Take notice of an alert; confirm that a message was passed on.",
        ),
        Verb::Run => language.pick(
            "Hacer que algo ocurra: una revisión ahora, vigilancia intensiva, un mensaje de prueba, un envío otra vez.",
            "Have something done: a check now, intensive watch, a test message, a delivery again.",
        ),
        Verb::Approve => language.pick(
            "Dejar que ocurra lo que otra persona pide, o no.",
            "Let what somebody else asks for happen, or not.",
        ),
        Verb::Sign => language.pick("Poner el nombre bajo un registro.", "Put one's name under a record."),
        Verb::Edit => language.pick("Cambiar el contenido del plan.", "Change the plan's contents."),
        Verb::Administer => language.pick("Decir quién puede hacer qué.", "Say who may do what."),
    }
}
