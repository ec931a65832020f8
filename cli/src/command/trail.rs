//! `farero trail`: verify the audit trail where it is or in an export, export it, show its public key. I/O.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use kernel::trail::Outcome;
use kernel::{Clock, Timestamp};
use prove_trail::{PublicKey, Report, SignedCopy, Start, Verifier, export, table};
use run::trail::{Chosen, Export, Format};
use serde_json::{Value, json};

use crate::arguments::trail::{ExportFormat, Place, Trail, TrailAction, TrailFilter};
use crate::print::{line, text};

pub(crate) fn run(arguments: &Trail) -> Result<ExitCode> {
    match &arguments.action {
        TrailAction::Verify { file: Some(file), keys, json, .. } => verify_file(file, &parse_keys(keys)?, *json),
        TrailAction::Verify { file: None, place, keys, json } => verify_state(place, &parse_keys(keys)?, *json),
        TrailAction::Export { place, format, out, filter } => write_export(place, *format, out.as_deref(), filter),
        TrailAction::Key { place, pem, json } => show_key(place, *pem, *json),
    }
}

fn parse_keys(keys: &[String]) -> Result<Vec<PublicKey>> {
    let parse = |k: &String| {
        PublicKey::parse(k)
            .with_context(|| format!("`{k}` is no public key: 64 lower-case hexadecimal digits are needed"))
    };
    keys.iter().map(parse).collect()
}

/// Verifies the trail where it is kept; Farero may run.
fn verify_state(place: &Place, keys: &[PublicKey], as_json: bool) -> Result<ExitCode> {
    let state = run::trail::look_at(&place.data, place.state.as_deref())?;
    let report = run::trail::verify(&state, &place.data, keys)?;
    tell(&state.place(), "trail", &report, keys, as_json)
}

/// Verifies an export or a signed copy of a document, without anything else of Farero.
fn verify_file(path: &Path, keys: &[PublicKey], as_json: bool) -> Result<ExitCode> {
    let open = || File::open(path).with_context(|| format!("{} cannot be read", path.display()));
    let mut reader = BufReader::with_capacity(1 << 20, open()?);
    let mut first = [0; 64];
    let known = reader.by_ref().take(64).read(&mut first)?;
    let start = String::from_utf8_lossy(&first[..known]).into_owned();
    let mut reader = std::io::Cursor::new(first[..known].to_vec()).chain(reader);
    let place = path.display().to_string();
    if SignedCopy::looks_like(&start) {
        let mut all = String::new();
        // A text that is not UTF-8 is a changed one: that is an answer, not trouble.
        let copy = match reader.read_to_string(&mut all).map_err(|e| e.to_string()).and_then(|_| SignedCopy::read(&all))
        {
            Ok(copy) => copy,
            Err(reason) => return damaged(&place, &reason, as_json),
        };
        let report = copy.verify(keys);
        if !as_json && report.is_whole() {
            for s in &copy.signatures {
                line(&format!("{} signed {} as {} on {}", s.person, copy.document.path, s.role, s.at))?;
            }
        }
        return tell(&place, "signed copy", &report, keys, as_json);
    }
    if start.starts_with("sequence,at,") {
        return verify_table(&place, reader, as_json);
    }
    let verified = export::verify(reader, keys).with_context(|| format!("{} cannot be read", path.display()))?;
    tell(&place, "export", &verified.report, keys, as_json)
}

/// A table has no signatures: only its own entries can be looked at.
fn verify_table(place: &str, reader: impl BufRead, as_json: bool) -> Result<ExitCode> {
    let entries = match table::read(reader) {
        Ok(entries) => entries,
        Err(error) => return damaged(place, &error.to_string(), as_json),
    };
    let mut verifier = Verifier::new([]);
    entries.iter().for_each(|entry| verifier.entry(entry));
    tell(place, "table", &verifier.finish(), &[], as_json)
}

fn damaged(place: &str, reason: &str, as_json: bool) -> Result<ExitCode> {
    if as_json {
        line(&serde_json::to_string_pretty(&json!({ "place": place, "whole": false, "reason": reason }))?)?;
    } else {
        line(&format!("{place}: DAMAGED: {reason}"))?;
    }
    Ok(ExitCode::from(crate::exit::NO))
}

/// Says what was found; 1 when something is wrong.
fn tell(place: &str, what: &str, report: &Report, keys: &[PublicKey], as_json: bool) -> Result<ExitCode> {
    if as_json {
        let mut all = serde_json::to_value(report)?;
        all["place"] = Value::from(place);
        all["whole"] = Value::from(report.is_whole());
        line(&serde_json::to_string_pretty(&all)?)?;
    } else {
        text(&in_words(place, what, report, keys))?;
    }
    Ok(ExitCode::from(if report.is_whole() { crate::exit::OK } else { crate::exit::NO }))
}

fn in_words(place: &str, what: &str, report: &Report, keys: &[PublicKey]) -> String {
    let mut out = Vec::new();
    for problem in &report.problems.named {
        out.push(format!("{place}: {problem}"));
    }
    if report.problems.more > 0 {
        out.push(format!("{place}: and {} more", report.problems.more));
    }
    let verdict = if report.is_whole() { "whole" } else { "DAMAGED" };
    let (first, last) = (report.first, report.last.sequence);
    let left_out = if report.omitted > 0 {
        format!(", {} more left out and shown as hashes", report.omitted)
    } else {
        String::new()
    };
    out.push(format!("{place}: {what} {verdict}: {} entries{left_out}, numbers {first} to {last}", report.entries));
    out.push(match report.start {
        Start::Nothing => "It holds no entry.".to_owned(),
        Start::First => "It begins with the trail's first entry.".to_owned(),
        Start::Checkpoint => "It begins behind a signed checkpoint: what was before is not in it.".to_owned(),
        Start::Unknown => "Nothing signed says where it should begin.".to_owned(),
    });
    match report.signed_at {
        Some(at) => out.push(format!(
            "{} checkpoints; signed up to entry {} on {at}; {} entries after it are chained but not signed yet.",
            report.checkpoints, report.signed_until, report.unsigned
        )),
        None => out.push("Nothing in it is signed: only that it fits together can be said.".to_owned()),
    }
    out.push("What followed the last entry cannot be seen from this alone.".to_owned());
    if keys.is_empty() && !report.keys.is_empty() {
        for key in &report.keys {
            out.push(format!("Signed by {key}: compare it with the key that you noted, or give it with --key."));
        }
    }
    out.push(String::new());
    out.join("\n")
}

fn chosen(filter: &TrailFilter) -> Result<Chosen> {
    let time = |text: &Option<String>| text.as_deref().map(parse_time).transpose();
    let outcome =
        |word: &String| Outcome::parse(word).with_context(|| format!("outcome `{word}`: use done, refused or failed"));
    let text = |t: &Option<String>| t.clone().unwrap_or_default();
    Ok(Chosen {
        actor: text(&filter.actor),
        object: text(&filter.object),
        system: text(&filter.system),
        action: text(&filter.action),
        outcome: filter.outcome.as_ref().map(outcome).transpose()?,
        business_id: text(&filter.business_id),
        since: time(&filter.since)?,
        until: time(&filter.until)?,
        text: text(&filter.text),
        ..Chosen::default()
    })
}

/// A time (RFC 3339), or a day in UTC.
fn parse_time(text: &str) -> Result<Timestamp> {
    let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    Timestamp::parse(&full)
        .with_context(|| format!("`{text}` is no time: write 2026-03-01 or 2026-03-01T08:00:00-05:00"))
}

/// Exports from the database; the newest entries may not be signed yet while Farero runs: its page *Trail* signs first.
fn write_export(place: &Place, format: ExportFormat, out: Option<&Path>, filter: &TrailFilter) -> Result<ExitCode> {
    let state = run::trail::look_at(&place.data, place.state.as_deref())?;
    let Some(key) = run::trail::read_key(&place.data)? else {
        bail!("{} has no signing key of a trail: give the data folder of Farero with --data", place.data.display());
    };
    let format = match format {
        ExportFormat::Jsonl => Format::JsonLines,
        ExportFormat::Csv => Format::Csv,
    };
    let export = Export { filter: chosen(filter)?, key: key.public(), made_at: run::SystemClock.now() };
    match out {
        None => {
            let stdout = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
            export.write(&state, format, stdout)?.flush()?;
        }
        Some(path) => {
            let file = File::options().write(true).create_new(true).open(path);
            let file = file.with_context(|| format!("{} cannot be made; does it exist already?", path.display()))?;
            let file = export.write(&state, format, BufWriter::with_capacity(1 << 16, file))?;
            file.into_inner().context("the export cannot be written")?.sync_all()?;
        }
    }
    Ok(ExitCode::from(crate::exit::OK))
}

fn show_key(place: &Place, pem: bool, as_json: bool) -> Result<ExitCode> {
    let Some(key) = run::trail::read_key(&place.data)? else {
        bail!("{} has no signing key of a trail yet: it is made when Farero starts", place.data.display());
    };
    let public = key.public();
    match (as_json, pem) {
        (true, _) => line(&json!({ "key": public, "pem": public.to_pem() }).to_string())?,
        (false, true) => text(&public.to_pem())?,
        (false, false) => line(&public.to_string())?,
    }
    Ok(ExitCode::from(crate::exit::OK))
}
