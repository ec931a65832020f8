//! What messages say. Pure.

use super::*;

fn words_of(language: kernel::Language) -> (String, String) {
    let mut plan = plan();
    plan.language = language;
    let mut world = World::new(plan, "2026-11-22T15:05:00Z");
    let mut disk = alert("HostDiskFull", "servidor", "critica", at("2026-11-22T15:00:00Z"));
    disk.annotations = Labels::new([
        ("summary", "Disco / de servidor al 92.3 %"),
        ("description", "Queda poco espacio."),
        ("value", "92.3 %"),
        ("runbook", "disco-lleno.md"),
    ]);
    world.turn(&[event(disk, EventKind::Fired, world.now)]);
    let entry = world.outbox.values().find(|e| e.channel == "equipo").unwrap();
    (entry.message.title.clone(), entry.message.text.clone())
}

use kernel::Labels;

#[test]
fn alr_22_a_message_tells_value_since_when_runbook_and_link() {
    let (title, text) = words_of(kernel::Language::Es);
    assert_eq!(title, "Crítica: Disco / de servidor al 92.3 %");
    let expect = "Crítica: Disco / de servidor al 92.3 %\n\nSistema: SIGCERH\nServicio: Servidor\nValor: 92.3 %\n\
        Desde: 2026-11-22 10:00 (hace 5 min)\n\nQueda poco espacio.\nProcedimiento: disco-lleno.md\n\
        Ver: https://farero.example/alerts/";
    assert!(text.starts_with(expect), "{text}");
    assert!(text.ends_with("Horas de America/Lima.\n"), "{text}");
}

#[test]
fn pln_12_messages_speak_the_plans_language() {
    let (_, text) = words_of(kernel::Language::En);
    for line in ["System: SIGCERH", "Value: 92.3 %", "Since: 2026-11-22 10:00 (5 min ago)", "Runbook: disco-lleno.md"] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn titles_are_short_whatever_the_summary() {
    let mut world = World::new(plan(), "2026-11-22T15:00:00Z");
    let mut long = alert("Long", "ocr", "critica", world.now);
    long.annotations = Labels::new([("summary", "ñandú ".repeat(200))]);
    world.turn(&[event(long, EventKind::Fired, world.now)]);
    for entry in world.outbox.values() {
        assert!(entry.message.title.chars().count() <= text::LONGEST_TITLE);
        assert!(entry.message.title.ends_with('…'));
    }
}

#[test]
fn alr_23_many_at_once_come_in_one_message_and_none_is_left_out() {
    let mut world = World::new(plan(), "2026-11-22T15:00:00Z");
    let few: Vec<_> = (0..5).map(|i| fired(&format!("a{i}"), "critica", world.now)).collect();
    assert_eq!(world.turn(&few).len(), 10);
    let many: Vec<_> = (0..230).map(|i| fired(&format!("b{i}"), "critica", world.now)).collect();
    let told = world.turn(&many);
    assert_eq!(told.len(), 6);
    assert_eq!(told[0], "equipo: Crítica: 100 avisos de SIGCERH (parte 1 de 3)");
    let batches = world.outbox.values().filter(|e| e.channel == "equipo" && e.message.kind == MessageKind::Batch);
    let items: Vec<_> = batches.flat_map(|e| e.message.items.iter().map(|i| i.alert.labels.clone())).collect();
    assert_eq!(items.len(), 230);
}

#[test]
fn numbers_are_readable() {
    let check = |value: f64, expect: &str| assert_eq!(number(value), expect);
    check(0.0, "0");
    check(1.0, "1");
    check(92.3456, "92.35");
    check(0.05, "0.05");
    check(0.012_345, "0.01235");
    check(123_456.7, "123457");
    check(-2.5, "-2.5");
    check(1e15, "1.000e15");
    check(f64::NAN, "NaN");
    check(f64::INFINITY, "inf");
}

#[test]
fn chn_08_a_test_message_names_the_channel() {
    let plan = plan();
    let zone = TimeZone::get("America/Lima").unwrap();
    let voice = Voice { plan: &plan, zone: &zone, base_url: None, now: at("2026-11-22T15:00:00Z") };
    let message = test_message(&voice, "equipo");
    assert_eq!(message.kind, MessageKind::Test);
    assert!(message.text.contains("el canal «equipo» funciona"), "{}", message.text);
}
