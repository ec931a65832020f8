//! All texts of messages in the two languages, in one table. Pure.
//!
//! A text with a place for something has `{}` there; [`fill`] puts things in, in order.

use kernel::Language;

/// The texts of one language.
#[derive(Debug)]
#[allow(missing_docs, reason = "the two tables below say what each text is")]
pub struct Words {
    pub recovered: &'static str,
    pub informed: &'static str,
    pub over: &'static str,
    pub several: &'static str,
    pub several_part: &'static str,
    pub system: &'static str,
    pub service: &'static str,
    pub value: &'static str,
    pub since: &'static str,
    pub ago: &'static str,
    pub just_now: &'static str,
    pub from_to: &'static str,
    pub lasted: &'static str,
    pub runbook: &'static str,
    pub look: &'static str,
    pub firing_list: &'static str,
    pub over_list: &'static str,
    pub recovered_list: &'static str,
    pub informed_list: &'static str,
    pub local_time: &'static str,
    pub digest: &'static str,
    pub digest_quiet: &'static str,
    pub digest_period: &'static str,
    pub digest_late: &'static str,
    pub uptime: &'static str,
    pub uptime_unknown: &'static str,
    pub checks_done: &'static str,
    pub checks_none: &'static str,
    pub blind: &'static str,
    pub alerts_by_severity: &'static str,
    pub alerts_none: &'static str,
    pub open_now: &'static str,
    pub open_none: &'static str,
    pub news: &'static str,
    pub more: &'static str,
    pub per_service: &'static str,
    pub third_party: &'static str,
    pub test: &'static str,
    pub test_text: &'static str,
}

static ES: Words = Words {
    recovered: "Recuperado",
    informed: "Aviso",
    over: "{} (ya terminó)",
    several: "{}: {} avisos de {}",
    several_part: "{}: {} avisos de {} (parte {} de {})",
    system: "Sistema: {}",
    service: "Servicio: {}",
    value: "Valor: {}",
    since: "Desde: {} ({})",
    ago: "hace {}",
    just_now: "ahora mismo",
    from_to: "Desde {} hasta {}",
    lasted: "duró {}",
    runbook: "Procedimiento: {}",
    look: "Ver: {}",
    firing_list: "En curso ({}):",
    over_list: "Empezaron y terminaron ({}):",
    recovered_list: "Recuperados ({}):",
    informed_list: "Novedades ({}):",
    local_time: "Horas de {}.",
    digest: "Resumen de {} del {}",
    digest_quiet: "sin novedades",
    digest_period: "Del {} al {}.",
    digest_late: "Con retraso: debía salir a las {}, cuando Farero no estaba en marcha.",
    uptime: "Disponibilidad: {} %",
    uptime_unknown: "Disponibilidad: sin datos",
    checks_done: "Comprobaciones: {} ({} bien, {} lentas, {} fallidas)",
    checks_none: "Comprobaciones: ninguna",
    blind: "Sin vigilancia: {}",
    alerts_by_severity: "Alertas: {}",
    alerts_none: "Alertas: ninguna",
    open_now: "Siguen abiertas ({}):",
    open_none: "No queda nada abierto.",
    news: "Novedades ({}):",
    more: "… y {} más",
    per_service: "Por servicio:",
    third_party: "{} (de terceros, no cuenta)",
    test: "Mensaje de prueba de Farero",
    test_text: "Si lee esto, el canal «{}» funciona. No hay que hacer nada.",
};

static EN: Words = Words {
    recovered: "Recovered",
    informed: "Notice",
    over: "{} (already over)",
    several: "{}: {} notices from {}",
    several_part: "{}: {} notices from {} (part {} of {})",
    system: "System: {}",
    service: "Service: {}",
    value: "Value: {}",
    since: "Since: {} ({})",
    ago: "{} ago",
    just_now: "just now",
    from_to: "From {} to {}",
    lasted: "lasted {}",
    runbook: "Runbook: {}",
    look: "Look: {}",
    firing_list: "Going on ({}):",
    over_list: "Began and ended ({}):",
    recovered_list: "Recovered ({}):",
    informed_list: "News ({}):",
    local_time: "Times of {}.",
    digest: "Summary of {} for {}",
    digest_quiet: "nothing to tell",
    digest_period: "From {} to {}.",
    digest_late: "Late: it was due at {}, when Farero was not running.",
    uptime: "Uptime: {} %",
    uptime_unknown: "Uptime: no data",
    checks_done: "Checks done: {} ({} fine, {} slow, {} failed)",
    checks_none: "Checks done: none",
    blind: "Not watched: {}",
    alerts_by_severity: "Alerts: {}",
    alerts_none: "Alerts: none",
    open_now: "Still open ({}):",
    open_none: "Nothing is open.",
    news: "News ({}):",
    more: "… and {} more",
    per_service: "By service:",
    third_party: "{} (third party, not counted)",
    test: "Test message from Farero",
    test_text: "If you read this, the channel “{}” works. There is nothing to do.",
};

/// The texts of a language.
pub fn words(language: Language) -> &'static Words {
    match language {
        Language::Es => &ES,
        Language::En => &EN,
    }
}

/// The texts of alerts that Farero makes from a plan's own thresholds, in one language; they are templates of rules.
#[derive(Debug)]
#[allow(missing_docs, reason = "the two tables below say what each text is")]
pub struct RuleWords {
    pub service_down: &'static str,
    pub database_down: &'static str,
    pub host_down: &'static str,
    pub down_why: &'static str,
    pub down_value: &'static str,
    pub service_slow: &'static str,
    pub slow_why: &'static str,
    pub slow_why_bound: &'static str,
    pub check_blind: &'static str,
    pub blind_why: &'static str,
    pub blind_value: &'static str,
    pub certificate: &'static str,
    pub certificate_why: &'static str,
    pub scrape_down: &'static str,
    pub scrape_why: &'static str,
    pub cpu: &'static str,
    pub memory: &'static str,
    pub disk: &'static str,
    pub above: &'static str,
    pub above_for: &'static str,
}

static RULES_ES: RuleWords = RuleWords {
    service_down: "{} no responde",
    database_down: "La base de datos {} no responde",
    host_down: "El servidor {} no responde",
    down_why: "La última comprobación ({}) falló en todos sus intentos{{ with $reason }}: {{ . }}{{ end }}.",
    down_value: "caído",
    service_slow: "{} va lento",
    slow_why: "Responde, pero fuera de sus límites{{ with $reason }}: {{ . }}{{ end }}.",
    slow_why_bound: "Responde, pero tarda más de {} o está fuera de sus límites{{ with $reason }}: {{ . }}{{ end }}.",
    check_blind: "No se sabe nada de {}",
    blind_why: "La comprobación no da resultado desde hace más de {}.",
    blind_value: "sin datos",
    certificate: "El certificado de {} vence en menos de {}",
    certificate_why: "Renuévelo antes de que venza; después los clientes dejan de conectarse.",
    scrape_down: "No se pueden leer las métricas de {}",
    scrape_why: "Las reglas que dependen de esas métricas no ven nada mientras tanto.",
    cpu: "CPU de {{ $names.service }} al {{ printf \"%.0f\" $value }} %",
    memory: "Memoria de {{ $names.service }} al {{ printf \"%.0f\" $value }} %",
    disk: "Disco {{ $labels.mountpoint }} de {{ $names.service }} al {{ printf \"%.0f\" $value }} %",
    above: "Por encima de {}.",
    above_for: "Por encima de {} durante {}.",
};

static RULES_EN: RuleWords = RuleWords {
    service_down: "{} is down",
    database_down: "Database {} is down",
    host_down: "Host {} is down",
    down_why: "The last check ({}) failed in all its attempts{{ with $reason }}: {{ . }}{{ end }}.",
    down_value: "down",
    service_slow: "{} is slow",
    slow_why: "It answers, but outside of its limits{{ with $reason }}: {{ . }}{{ end }}.",
    slow_why_bound: "It answers, but takes more than {} or is outside of its limits{{ with $reason }}: {{ . }}{{ end }}.",
    check_blind: "Nothing is known of {}",
    blind_why: "The check has given no result for more than {}.",
    blind_value: "no data",
    certificate: "The certificate of {} ends in less than {}",
    certificate_why: "Renew it before it ends; after that clients no longer connect.",
    scrape_down: "The metrics of {} cannot be read",
    scrape_why: "Rules that need these metrics see nothing in the meantime.",
    cpu: "CPU of {{ $names.service }} at {{ printf \"%.0f\" $value }} %",
    memory: "Memory of {{ $names.service }} at {{ printf \"%.0f\" $value }} %",
    disk: "Disk {{ $labels.mountpoint }} of {{ $names.service }} at {{ printf \"%.0f\" $value }} %",
    above: "Above {}.",
    above_for: "Above {} for {}.",
};

/// The texts of a language for alerts made from a plan.
pub fn rule_words(language: Language) -> &'static RuleWords {
    match language {
        Language::Es => &RULES_ES,
        Language::En => &RULES_EN,
    }
}

/// Puts things where a text has `{}`, in order; what is left over on either side is left out.
pub fn fill(text: &str, things: &[&str]) -> String {
    let mut out = String::with_capacity(text.len() + things.iter().map(|t| t.len()).sum::<usize>());
    let mut things = things.iter();
    for (i, piece) in text.split("{}").enumerate() {
        if i > 0 {
            out.push_str(things.next().copied().unwrap_or_default());
        }
        out.push_str(piece);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_in_order() {
        assert_eq!(fill("{}: {} of {}", &["a", "b", "c"]), "a: b of c");
        assert_eq!(fill("{} {}", &["{}"]), "{} ");
        assert_eq!(fill("none", &["x"]), "none");
    }

    #[test]
    fn pln_12_both_languages_have_places_for_the_same_things() {
        let places = |w: &Words| {
            let printed = format!("{w:?}");
            printed.split(", ").map(|field| field.matches("{}").count()).sum::<usize>()
        };
        assert_eq!(places(&ES), places(&EN));
        let texts = |w: &RuleWords| format!("{w:?}").matches("{}").count();
        assert_eq!(texts(&RULES_ES), texts(&RULES_EN));
    }
}
