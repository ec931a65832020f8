//! Sentences with numbers and names in them, in both languages. Pure.

use kernel::Language;
use plan_model::Deliver;

const fn is_one(n: usize) -> bool {
    n == 1
}

/// The overall state in one sentence: what is down, what is slow, out of how many.
pub fn overall(language: Language, down: usize, slow: usize, blind: usize, total: usize) -> String {
    let es = language == Language::Es;
    let mut parts: Vec<String> = Vec::new();
    if down > 0 {
        parts.push(match (es, is_one(down)) {
            (true, true) => format!("1 de {total} componentes está caído"),
            (true, false) => format!("{down} de {total} componentes están caídos"),
            (false, true) => format!("1 of {total} components is down"),
            (false, false) => format!("{down} of {total} components are down"),
        });
    }
    if slow > 0 {
        parts.push(match (es, is_one(slow)) {
            (true, true) => "1 responde lento".to_owned(),
            (true, false) => format!("{slow} responden lento"),
            (false, true) => "1 is slow".to_owned(),
            (false, false) => format!("{slow} are slow"),
        });
    }
    if blind > 0 {
        parts.push(match (es, is_one(blind)) {
            (true, true) => "1 sin datos".to_owned(),
            (true, false) => format!("{blind} sin datos"),
            (false, true) => "1 without data".to_owned(),
            (false, false) => format!("{blind} without data"),
        });
    }
    if parts.is_empty() {
        return match (es, is_one(total)) {
            (true, true) => "El componente vigilado funciona.".to_owned(),
            (true, false) => format!("Los {total} componentes vigilados funcionan."),
            (false, true) => "The watched component works.".to_owned(),
            (false, false) => format!("All {total} watched components work."),
        };
    }
    parts.join(language.pick("; ", "; ")) + "."
}

/// The heartbeat bar in words.
pub fn beats(language: Language, up: usize, slow: usize, down: usize, blind: usize) -> String {
    let total = up + slow + down + blind;
    if total == 0 {
        return language.pick("Sin resultados todavía", "No results yet").to_owned();
    }
    let good = up + slow;
    let mut text = match language {
        Language::Es => format!("{good} de los últimos {total} resultados fueron buenos"),
        Language::En => format!("{good} of the last {total} results were good"),
    };
    if slow > 0 {
        let word = match (language, is_one(slow)) {
            (Language::Es, true) => "lento",
            (Language::Es, false) => "lentos",
            (Language::En, _) => "slow",
        };
        text.push_str(&format!(" ({slow} {word})"));
    }
    let mut add = |n: usize, es: &str, en: &str| {
        if n > 0 {
            text.push_str(&format!(", {n} {}", language.pick(es, en)));
        }
    };
    add(down, "con fallo", "failed");
    add(blind, "sin datos", "without data");
    text
}

/// `3 alertas activas`.
pub fn alerts(language: Language, n: usize) -> String {
    match (language, is_one(n)) {
        (Language::Es, true) => "1 alerta activa".into(),
        (Language::Es, false) => format!("{n} alertas activas"),
        (Language::En, true) => "1 active alert".into(),
        (Language::En, false) => format!("{n} active alerts"),
    }
}

/// How long ago, in one unit: `hace 12 s`, `12 s ago`.
pub fn ago(language: Language, seconds: u64) -> String {
    let (n, es, en) = match seconds {
        0..=1 => return language.pick("ahora mismo", "just now").to_owned(),
        2..=99 => (seconds, "s", "s"),
        100..=5_399 => (seconds / 60, "min", "min"),
        5_400..=129_599 => ((seconds + 1_800) / 3_600, "h", "h"),
        _ => {
            let days = (seconds + 43_200) / 86_400;
            (days, "días", "days")
        }
    };
    match language {
        Language::Es => format!("hace {n} {es}"),
        Language::En => format!("{n} {en} ago"),
    }
}

/// When people hear of a severity.
pub fn deliver(language: Language, deliver: &Deliver) -> String {
    match (language, deliver) {
        (Language::Es, Deliver::Now) => "enseguida".into(),
        (Language::En, Deliver::Now) => "at once".into(),
        (Language::Es, Deliver::Within(d)) => format!("en {} como mucho", d.humanize(language)),
        (Language::En, Deliver::Within(d)) => format!("within {}", d.humanize(language)),
        (Language::Es, Deliver::Daily { minute }) => format!("cada día a las {:02}:{:02}", minute / 60, minute % 60),
        (Language::En, Deliver::Daily { minute }) => format!("every day at {:02}:{:02}", minute / 60, minute % 60),
        (Language::Es, Deliver::Info) => "solo se muestra".into(),
        (Language::En, Deliver::Info) => "only shown".into(),
    }
}

/// How many attempts were made.
pub fn attempts(language: Language, n: u32) -> String {
    match (language, n) {
        (Language::Es, 1) => "1 intento".into(),
        (Language::Es, _) => format!("{n} intentos"),
        (Language::En, 1) => "1 attempt".into(),
        (Language::En, _) => format!("{n} attempts"),
    }
}

/// The latency chart in words.
pub fn latency(language: Language, median: &str, p95: &str, max: &str) -> String {
    match language {
        Language::Es => format!(
            "La mitad de las respuestas tardó {median} o menos; 95 de cada 100, {p95} o menos; la más lenta, {max}."
        ),
        Language::En => {
            format!("Half of the answers took {median} or less; 95 in 100 took {p95} or less; the slowest took {max}.")
        }
    }
}

/// How much longer a silenced or intensive period lasts, or a wait: `en 5 min`, `in 5 min`.
pub fn within(language: Language, seconds: u64) -> String {
    let text = match seconds {
        0..=99 => format!("{seconds} s"),
        100..=5_399 => format!("{} min", seconds.div_ceil(60)),
        5_400..=129_599 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} {}", (seconds + 43_200) / 86_400, language.pick("días", "days")),
    };
    format!("{} {text}", language.pick("en", "in"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_told_in_whole_sentences() {
        assert_eq!(overall(Language::Es, 1, 0, 0, 8), "1 de 8 componentes está caído.");
        assert_eq!(overall(Language::En, 2, 1, 0, 8), "2 of 8 components are down; 1 is slow.");
        assert_eq!(overall(Language::Es, 0, 0, 0, 8), "Los 8 componentes vigilados funcionan.");
    }

    #[test]
    fn ages_have_one_unit() {
        assert_eq!(ago(Language::Es, 0), "ahora mismo");
        assert_eq!(ago(Language::Es, 30), "hace 30 s");
        assert_eq!(ago(Language::En, 7_200), "2 h ago");
        assert_eq!(ago(Language::En, 3 * 86_400), "3 days ago");
    }
}
