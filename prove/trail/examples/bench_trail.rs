//! Measures: entries chained, written, read and verified per second. I/O: prints.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::Instant;

use kernel::Timestamp;
use kernel::trail::{Actor, Deed, Head, chain};
use prove_trail::export::{Writer, verify};
use prove_trail::{Header, SigningKey, Verifier};

fn deed(n: u64) -> Deed {
    Deed::new(
        Timestamp::from_millis(1_790_000_000_000 + n as i64 * 211),
        Actor::person("ana.perez"),
        "alert.acknowledge",
    )
    .on("alert", format!("{n:016x}-1790000000000"))
    .in_system("sigcerh")
    .from("192.0.2.7")
    .changed("acknowledged by", None, Some("ana.perez"))
    .saying("Se reinicia el servicio; en observación durante una hora.")
}

fn main() {
    let count: u64 = std::env::args().nth(1).map_or(1_000_000, |n| n.parse().unwrap());
    let key = SigningKey::from_seed(&[7; 32]);
    let began = Instant::now();
    let mut head = Head::START;
    let mut entries = Vec::new();
    let mut checkpoints = Vec::new();
    for n in 1..=count {
        let entry = chain(&head, &deed(n));
        head = entry.head();
        entries.push(entry);
        if n.is_multiple_of(1_000) || n == count {
            checkpoints.push(key.sign(head, n, Timestamp::from_millis(0)));
        }
    }
    println!("chained   {count} entries in {:.2} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    let mut verifier = Verifier::new([key.public()]);
    checkpoints.iter().for_each(|c| verifier.checkpoint(c));
    entries.iter().for_each(|e| verifier.entry(e));
    assert!(verifier.finish().is_whole());
    println!("verified  {count} entries, {} checkpoints in {:.2} s", checkpoints.len(), began.elapsed().as_secs_f64());
    let began = Instant::now();
    let mut writer = Writer::begin(Vec::new(), &Header::new(key.public(), Timestamp::from_millis(0), "")).unwrap();
    checkpoints.iter().for_each(|c| writer.checkpoint(c).unwrap());
    entries.iter().for_each(|e| writer.entry(e).unwrap());
    let text = writer.finish().unwrap();
    println!("exported  {} MB in {:.2} s", text.len() / 1_000_000, began.elapsed().as_secs_f64());
    let began = Instant::now();
    assert!(verify(&*text, &[key.public()]).unwrap().report.is_whole());
    println!("verified the export in {:.2} s", began.elapsed().as_secs_f64());
}
