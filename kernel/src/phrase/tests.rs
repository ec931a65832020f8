//! Sentences found, nested, listed, and those of others left alone. Pure.

use super::*;

#[track_caller]
fn check(en: &str, es: &str) {
    assert_eq!(in_language(en, Language::Es), es);
    assert_eq!(in_language(en, Language::En), en);
}

#[test]
fn pln_12_sentences_are_found_with_what_stands_in_them() {
    check("the name db.example does not exist", "el nombre db.example no existe");
    check(
        "no answer within 10s: given up while looking up the name",
        "sin respuesta en 10s: se interrumpió buscando el nombre",
    );
    check(
        "10.0.0.1:5432 refuses the connection: nothing listens there",
        "10.0.0.1:5432 rechaza la conexión: nada escucha ahí",
    );
    check("status 503 instead of 200 or 204", "estado 503 en lugar de 200 o 204");
    check("the last call came 2 days ago", "la última llamada llegó hace 2 días");
}

#[test]
fn pln_12_lists_of_reasons_are_said_one_by_one() {
    check(
        "status 503 instead of 200; the body does not hold `a; b`; the header X-Own is missing",
        "estado 503 en lugar de 200; el cuerpo no contiene `a; b`; falta la cabecera X-Own",
    );
    check(
        "no broker answers: b1:9092: it cannot be reached: Connection refused (os error 111); b2:9092: no answer within 2.0 s",
        "ningún broker responde: b1:9092: no se llega a él: conexión rechazada (error 111 del sistema); \
         b2:9092: sin respuesta en 2.0 s",
    );
    check(
        "HTTP 400: bad; worse; check the channel's URL, token and settings",
        "HTTP 400: bad; worse; revise la URL, el token y los ajustes del canal",
    );
    check(
        "given up: 5 tries failed; last: HTTP 503; no fallback is left",
        "abandonado: fallaron 5 intentos; el último: HTTP 503; no queda otro canal",
    );
}

#[test]
fn pln_12_the_words_of_others_stay() {
    for text in [
        "",
        "FATAL: password authentication failed for user \"farero\" [28P01]",
        "550 5.1.1 No such user; try again: later",
        "dead or alive, more or less",
        "Error: could not connect to server",
    ] {
        check(text, text);
    }
    check(
        "waiting for the trivial query: relation \"x\" does not exist [42P01]",
        "esperando la consulta trivial: relation \"x\" does not exist [42P01]",
    );
    let long = format!("the name {} does not exist", "x".repeat(LONGEST_BYTES));
    check(&long, &long);
}

#[test]
fn pln_12_errors_of_plans_are_said_too() {
    check(
        "`every` must be a list or a text, and this is a map",
        "`every` debe ser una lista o un texto, y esto es un mapa",
    );
    check("the plan has no key `servicios`", "el plan no tiene la clave `servicios`");
    check("`a`, `b` or `c`", "`a`, `b` o `c`");
    check("`a`, `b` and 3 more", "`a`, `b` y 3 más");
    check("there is no role or person `ana`", "no hay rol ni persona `ana`");
    check("`frutas` is not a `rank` that Farero knows", "`frutas` no es un valor de `rank` que Farero conozca");
}

#[test]
fn pln_12_each_sentence_stands_in_both_languages_with_the_same_holes() {
    let mut seen = HashMap::new();
    for text in CATALOGUES {
        let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')).collect();
        for pair in lines.chunks(2) {
            let [en, es] = pair else { panic!("a sentence without Spanish: {pair:?}") };
            assert!(!en.starts_with(' ') && es.starts_with("  "), "not a pair: {en:?} {es:?}");
            assert_eq!(en.matches("{}").count(), es.matches("{}").count(), "{en}");
            assert!(!en.contains("{}{}"), "two holes side by side cannot be told apart: {en}");
            let told = en.replace("{}", "").chars().filter(|c| !c.is_whitespace()).count();
            assert!(told >= 3, "too little to be known by: {en}");
            assert_eq!(seen.insert(*en, *es), None, "twice: {en}");
        }
    }
    assert!(knows("the name {} does not exist") && knows(", out of memory") && !knows("the name {} is unknown"));
}

#[test]
fn a_hostile_text_costs_little() {
    let text = "a: b; c or d, ".repeat(LONGEST_BYTES / 16);
    let began = std::time::Instant::now();
    let _ = in_language(&text, Language::Es);
    assert!(began.elapsed().as_millis() < 500, "{:?}", began.elapsed());
}
