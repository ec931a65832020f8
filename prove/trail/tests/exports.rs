//! Exports: whatever is done to one, verification finds it. Pure.
#![allow(clippy::unwrap_used)]

use kernel::Timestamp;
use kernel::trail::{Actor, Deed, Entry, Hash, Head, chain};
use proptest::prelude::*;
use prove_trail::export::{self, Verified, Writer};
use prove_trail::{
    DocumentSignature, Header, KEY_ACTION, Omitted, Problem, SIGN_ACTION, SignedCheckpoint, SignedCopy, SignedDocument,
    SigningKey, Start, Verifier, table,
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(1_790_000_000 + i64::try_from(seconds).unwrap())
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn deed(n: u64) -> Deed {
    let actor = if n.is_multiple_of(3) { Actor::farero("rules") } else { Actor::person("ana") };
    Deed::new(at(n), actor, "alert.acknowledge")
        .on("alert", format!("=firing-{n}"))
        .in_system("sigcerh")
        .from("192.0.2.7")
        .changed("note", None, Some("'+1, \"dos\"\n☃"))
        .saying("-- visto, \"en turno\"")
}

fn entries(n: u64) -> Vec<Entry> {
    let mut head = Head::START;
    (1..=n)
        .map(|i| {
            let entry = chain(&head, &deed(i));
            head = entry.head();
            entry
        })
        .collect()
}

/// A checkpoint at each tenth entry and at the last.
fn checkpoints(entries: &[Entry]) -> Vec<SignedCheckpoint> {
    let last = entries.len() as u64;
    let due = entries.iter().filter(|e| e.sequence.is_multiple_of(10) || e.sequence == last);
    due.map(|e| key().sign(e.head(), e.sequence, at(e.sequence))).collect()
}

fn write(entries: &[Entry], checkpoints: &[SignedCheckpoint], keep: impl Fn(&Entry) -> bool) -> String {
    let mut writer = Writer::begin(Vec::new(), &Header::new(key().public(), at(0), "--system sigcerh")).unwrap();
    checkpoints.iter().for_each(|c| writer.checkpoint(c).unwrap());
    for entry in entries {
        if keep(entry) {
            writer.entry(entry).unwrap();
        } else {
            writer.omitted(&Omitted::of(entry)).unwrap();
        }
    }
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

fn verify(text: &[u8]) -> Verified {
    export::verify(text, &[key().public()]).unwrap()
}

fn problems(verified: &Verified) -> Vec<String> {
    verified.report.problems.named.iter().map(ToString::to_string).collect()
}

#[test]
fn sec_12_an_export_verifies_by_itself() {
    let all = entries(25);
    let verified = verify(write(&all, &checkpoints(&all), |_| true).as_bytes());
    assert_eq!(problems(&verified), [""; 0]);
    let report = &verified.report;
    assert_eq!((report.entries, report.omitted, report.checkpoints), (25, 0, 3));
    assert_eq!((report.start, report.signed_until, report.unsigned), (Start::First, 25, 0));
    assert_eq!(report.last, all[24].head());
    assert_eq!(verified.header.unwrap().chosen, "--system sigcerh");
}

#[test]
fn sec_12_an_excerpt_is_still_the_whole_chain_between_two_checkpoints() {
    let all = entries(35);
    let points = checkpoints(&all);
    // Behind the checkpoint of 10, up to that of 30; only every seventh is shown.
    let excerpt = write(&all[10..30], &points[..3], |e| e.sequence.is_multiple_of(7));
    let verified = verify(excerpt.as_bytes());
    assert_eq!(problems(&verified), [""; 0]);
    let report = &verified.report;
    assert_eq!((report.entries, report.omitted, report.first, report.start), (3, 17, 11, Start::Checkpoint));
    assert_eq!((report.signed_until, report.unsigned), (30, 0));
    assert!(!excerpt.contains("firing-12") && excerpt.contains("firing-14"));

    // Dropping one of the hashes that stand for what was left out is seen as well.
    let dropped: String =
        excerpt.lines().filter(|l| !l.starts_with(r#"{"sequence":12,"#)).map(|l| format!("{l}\n")).collect();
    assert!(problems(&verify(dropped.as_bytes())).contains(&"entry 12 is missing".to_owned()));
    // And without the checkpoint before it nobody vouches for where it begins.
    let headless = verify(write(&all[10..30], &points[1..3], |_| true).as_bytes());
    assert_eq!(headless.report.problems.named, [Problem::CutHead { first: 11 }]);
}

/// Verifies entries and checkpoints after something was done to them.
fn after(edit: impl FnOnce(&mut Vec<Entry>, &mut Vec<SignedCheckpoint>)) -> Vec<Problem> {
    let mut all = entries(30);
    let mut points = checkpoints(&all);
    edit(&mut all, &mut points);
    let mut verifier = Verifier::new([key().public()]);
    points.iter().for_each(|p| verifier.checkpoint(p));
    all.iter().for_each(|e| verifier.entry(e));
    verifier.finish().problems.named
}

/// Chains entries anew from a place on, as somebody who can write the database but has no key would.
fn chain_anew(all: &mut [Entry], from: usize) {
    let mut head = all[from - 1].head();
    for entry in &mut all[from..] {
        *entry = chain(&head, &entry.deed().unwrap());
        head = entry.head();
    }
}

#[test]
fn sec_12_every_problem_is_named() {
    assert_eq!(after(|_, _| {}), []);
    assert_eq!(after(|e, _| e[4].text = e[4].text.replace("ana", "eva")), [Problem::Changed { sequence: 5 }]);
    assert_eq!(after(|e, _| drop(e.remove(4))), [Problem::Missing { first: 5, last: 5 }]);
    assert_eq!(after(|e, _| drop(e.drain(4..9))), [Problem::Missing { first: 5, last: 9 }]);
    assert_eq!(after(|e, _| e.swap(4, 5)), [Problem::OutOfOrder { sequence: 5, after: 6 }]);
    assert_eq!(after(|e, _| e.insert(7, e[3].clone())), [Problem::Duplicate { sequence: 4 }]);
    assert_eq!(after(|e, _| drop(e.drain(..3))), [Problem::CutHead { first: 4 }]);
    assert_eq!(after(|e, _| e.truncate(27)), [Problem::CutTail { last: 27, signed: 30 }]);
    assert_eq!(after(|e, _| e.clear()), [Problem::CutTail { last: 0, signed: 30 }]);
    let rewrite = |e: &mut Vec<Entry>, _: &mut Vec<SignedCheckpoint>| {
        e[14].text = e[14].text.replace("sigcerh", "nuam");
        chain_anew(e, 14);
    };
    assert_eq!(after(rewrite), [Problem::Rewritten { sequence: 20 }, Problem::Rewritten { sequence: 30 }]);
    let one_rehashed = |e: &mut Vec<Entry>, _: &mut Vec<SignedCheckpoint>| {
        e[14].text = e[14].text.replace("sigcerh", "nuam");
        e[14].hash = e[14].expected_hash();
    };
    assert_eq!(after(one_rehashed), [Problem::Unlinked { sequence: 16 }]);
    assert_eq!(after(|_, c| c[1].checkpoint.count = 3), [Problem::BadSignature { sequence: 20 }]);
    let strange = SigningKey::from_seed(&[9; 32]);
    let forged = |e: &mut Vec<Entry>, c: &mut Vec<SignedCheckpoint>| c[1] = strange.sign(e[19].head(), 20, at(1));
    assert_eq!(after(forged), [Problem::UnknownKey { sequence: 20, key: strange.public() }]);
    let several = |e: &mut Vec<Entry>, _: &mut Vec<SignedCheckpoint>| {
        e[1].text = e[1].text.replace("ana", "eva");
        e.truncate(28);
        e.remove(20);
        e.swap(9, 10);
    };
    let expect = [
        Problem::Changed { sequence: 2 },
        Problem::OutOfOrder { sequence: 10, after: 11 },
        Problem::Missing { first: 21, last: 21 },
        Problem::CutTail { last: 28, signed: 30 },
    ];
    assert_eq!(after(several), expect);
}

#[test]
fn a_new_key_is_introduced_by_the_trail_itself() {
    let (old, new) = (key(), SigningKey::from_seed(&[9; 32]));
    let told =
        Deed::new(at(2), Actor::farero("trail"), KEY_ACTION).on("trail", "").set("key", new.public().to_string());
    let first = chain(&Head::START, &deed(1));
    let second = chain(&first.head(), &told);
    let points = [old.sign(first.head(), 1, at(1)), new.sign(second.head(), 2, at(2))];
    let run = |mut verifier: Verifier| {
        points.iter().for_each(|p| verifier.checkpoint(p));
        [&first, &second].into_iter().for_each(|e| verifier.entry(e));
        verifier.finish().problems.named
    };
    assert_eq!(run(Verifier::new([old.public()]).with_introduced_keys()), []);
    let unknown = Problem::UnknownKey { sequence: 2, key: new.public() };
    assert_eq!(run(Verifier::new([old.public()])), [unknown], "a copy cannot introduce a key by itself");
}

#[test]
fn problems_are_named_up_to_a_limit_and_counted_beyond() {
    let all = entries(3_000);
    let mut verifier = Verifier::new([]);
    for mut entry in all {
        entry.text.push(' ');
        verifier.entry(&entry);
    }
    let problems = verifier.finish().problems;
    assert_eq!((problems.named.len(), problems.more), (1_000, 2_000));
}

#[test]
fn sec_12_a_table_comes_back_and_holds_no_formula() {
    let mut all = entries(20);
    let odd = |text: &str| Deed::new(at(1), Actor::Nobody, text).on(text, text).from(text).saying(text);
    for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'quoted", "''", "a,b;\"c\"", "x\ny"] {
        let head = all.last().unwrap().head();
        all.push(chain(&head, &odd(text)));
    }
    let mut newer = all[3].clone();
    newer.text = r#"{"action":"a.b","actor":{"kind":"robot"},"at":"?"}"#.to_owned();
    all.push(newer);
    let mut writer = table::TableWriter::begin(Vec::new()).unwrap();
    all.iter().for_each(|e| writer.entry(e).unwrap());
    let text = writer.finish().unwrap();
    assert_eq!(table::read(&*text).unwrap(), all);
    let text = String::from_utf8(text).unwrap();
    assert!(text.lines().next().unwrap().starts_with("sequence,at,actor_kind") && text.contains("\r\n"));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    for cell in reader.records().flat_map(|r| r.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()) {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
    assert!(table::read(&b"a,b\r\n1,2\r\n"[..]).unwrap_err().to_string().contains("the columns sequence"));
}

fn copy() -> SignedCopy {
    let text = "# Salida\n\n- [ ] pruebas \"verdes\"\n";
    let hash = Hash::of(text.as_bytes());
    let sign = |person: &str, role: &str, n| {
        Deed::new(at(n), Actor::person(person), SIGN_ACTION)
            .on("document", "checklists/salida.md")
            .in_system("conecta360")
            .set("role", role)
            .set("sha256", hash.to_string())
            .set("title", "Salida")
    };
    let mut all = entries(12);
    let mut add = |deed: Deed| {
        let head = all.last().unwrap().head();
        all.push(chain(&head, &deed));
    };
    add(sign("ana", "qa-lead", 20));
    (14..=25).for_each(|n| add(deed(n)));
    add(sign("luis", "tech-lead", 21));
    let points = checkpoints(&all);
    let excerpts = [
        write(&all[10..20], &points[..2], |e| e.sequence == 13),
        write(&all[20..], &points[1..], |e| e.sequence == 26),
    ];
    let signature = |person: &str, role: &str, sequence, n| DocumentSignature {
        person: person.into(),
        role: role.into(),
        at: at(n),
        note: String::new(),
        sequence,
    };
    let document = SignedDocument {
        system: "conecta360".into(),
        path: "checklists/salida.md".into(),
        title: "Salida".into(),
        sha256: hash,
        text: text.into(),
    };
    SignedCopy::new(
        document,
        vec![signature("ana", "qa-lead", 13, 20), signature("luis", "tech-lead", 26, 21)],
        &excerpts,
    )
}

fn wrong(copy: &SignedCopy) -> Vec<String> {
    copy.verify(&[key().public()]).problems.named.iter().map(ToString::to_string).collect()
}

#[test]
fn ckl_06_a_signed_copy_verifies_by_itself() {
    let whole = copy();
    assert_eq!(wrong(&whole), [""; 0]);
    assert_eq!(SignedCopy::read(&whole.write()).unwrap(), whole);
    assert!(SignedCopy::looks_like(&whole.write()));
    let after = |edit: fn(&mut SignedCopy)| {
        let mut copy = copy();
        edit(&mut copy);
        wrong(&copy).join("; ")
    };
    assert!(after(|c| c.document.text = c.document.text.replace("[ ]", "[x]")).contains("the text of"));
    assert!(after(|c| c.signatures[0].person = "eva".into()).contains("does not say that eva signed"));
    assert!(after(|c| c.signatures[1].role = "qa-lead".into()).contains("signed this text as qa-lead"));
    assert!(after(|c| c.signatures.clear()).contains("nobody has signed it"));
    assert!(after(|c| c.document.path = "checklists/otra.md".into()).contains("does not say"));
    assert!(after(|c| drop(c.trail[0].remove(1))).contains("its last line tells of"));
    assert!(after(|c| drop(c.trail.remove(1))).contains("entry 26 does not say that luis"));
    let report = whole.verify(&[key().public()]);
    assert_eq!((report.entries, report.omitted, report.first, report.last.sequence), (2, 14, 11, 26));
}

/// Everything that is wrong with a text that should be a signed copy.
fn copy_is_whole(text: &[u8]) -> bool {
    let read = std::str::from_utf8(text).ok().and_then(|t| SignedCopy::read(t).ok());
    read.is_some_and(|c| c.verify(&[key().public()]).is_whole())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn sec_12_any_flipped_byte_is_found(place in 0.0..1.0_f64, mask in 1..=255_u8) {
        let all = entries(12);
        let mut text = write(&all, &checkpoints(&all), |e| !e.sequence.is_multiple_of(4)).into_bytes();
        prop_assert!(verify(&text).report.is_whole());
        let place = (place * text.len() as f64) as usize;
        text[place] ^= mask;
        prop_assert!(!verify(&text).report.is_whole(), "byte {} of {}", place, text.len());
    }

    #[test]
    fn sec_12_any_dropped_swapped_doubled_or_cut_line_is_found(n in 1..30_u64, a in 0.0..1.0_f64, b in 0.0..1.0_f64, what in 0..4) {
        let all = entries(n);
        let text = write(&all, &checkpoints(&all), |_| true);
        let mut lines: Vec<&str> = text.lines().collect();
        let place = |x: f64| (x * lines.len() as f64) as usize;
        let (a, b) = (place(a), place(b));
        match what {
            0 => drop(lines.remove(a)),
            1 if a != b => lines.swap(a, b),
            2 => lines.insert(b, lines[a]),
            _ => lines.truncate(a),
        }
        let changed: String = lines.iter().map(|l| format!("{l}\n")).collect();
        prop_assert_ne!(&changed, &text);
        prop_assert!(!verify(changed.as_bytes()).report.is_whole());
    }

    /// Somebody who knows the form but has no key: counts and the last line's hash are made right again.
    #[test]
    fn sec_12_a_skilled_hand_without_the_key_is_found(n in 2..30_u64, at in 0.0..1.0_f64, what in 0..5) {
        let mut all = entries(n);
        let points = checkpoints(&all);
        let place = (at * all.len() as f64) as usize;
        match what {
            0 => drop(all.remove(place)),
            1 => { all[place].text = all[place].text.replace("visto", "oculto"); }
            2 if place > 0 => { all[place].text = all[place].text.replace("visto", "oculto"); chain_anew(&mut all, place); }
            3 => all.insert(place, all[place].clone()),
            _ => all.truncate(place),
        }
        prop_assert!(!verify(write(&all, &points, |_| true).as_bytes()).report.is_whole());
    }

    #[test]
    fn ckl_06_any_flipped_byte_of_a_signed_copy_is_found(place in 0.0..1.0_f64, mask in 1..=255_u8) {
        let mut text = copy().write().into_bytes();
        let place = (place * text.len() as f64) as usize;
        text[place] ^= mask;
        prop_assert!(!copy_is_whole(&text), "byte {} of {}", place, text.len());
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(!verify(&text).report.is_whole());
        let _ = table::read(&*text);
    }
}
