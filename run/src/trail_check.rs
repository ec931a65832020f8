//! Verification of the trail where it is kept: chain, signatures, and everything that must agree with it. I/O: state, files.

use std::collections::HashSet;

use anyhow::Result;
use prove_trail::{Problem, PublicKey, Report, SignedCheckpoint, Verifier};
use state::{CheckpointFile, State};

/// Entries read at once.
const AT_ONCE: usize = 10_000;

/// Verifies the trail in a state. `file` is the checkpoints' other copy, where it is at hand; `trusted` are the trail's keys.
///
/// # Errors
/// The state or the file cannot be read.
pub(crate) fn verify(state: &State, file: Option<&CheckpointFile>, trusted: &[PublicKey]) -> Result<Report> {
    let mut verifier = Verifier::new(trusted.iter().copied()).with_introduced_keys();
    // In this order: a checkpoint that was read vouches for an entry that is there already. What is appended while this
    // runs comes after the head.
    let kept = state.checkpoints()?;
    let beside = file.map(CheckpointFile::lines).transpose()?;
    let head = state.trail_head()?;
    let lines = beside.as_deref().unwrap_or_default();
    match file {
        Some(file) if !file.exists() && !kept.is_empty() => {
            verifier.problem(contradiction(format!("{} is gone", file.path().display())));
        }
        Some(_) => compare(&mut verifier, &kept, lines),
        None => {}
    }
    for line in &kept {
        match SignedCheckpoint::from_line(line) {
            Some(signed) => verifier.checkpoint(&signed),
            None => verifier.problem(contradiction(format!("a checkpoint in the database is none: {line:.60}"))),
        }
    }
    // A line of the file that is none is half of one, left by a crash: had it been whole once, the database would have it.
    lines.iter().filter_map(|line| SignedCheckpoint::from_line(line)).for_each(|signed| verifier.checkpoint(&signed));
    let mut at = 0;
    while at < head.sequence {
        let rows = state.trail_rows(at, AT_ONCE)?;
        let Some(last) = rows.last() else { break };
        at = last.entry.sequence;
        for row in rows.iter().filter(|r| r.entry.sequence <= head.sequence) {
            verifier.entry(&row.entry);
            for column in &row.contradictions {
                let what = format!("entry {}: the column {column} says something else", row.entry.sequence);
                verifier.problem(contradiction(what));
            }
        }
    }
    for problem in state.signature_problems()? {
        verifier.problem(contradiction(problem));
    }
    let mut report = verifier.finish();
    if report.last != head {
        let (last, says) = (report.last.sequence, head.sequence);
        let what = if last == says {
            format!("the chain's head has another hash than entry {last}")
        } else {
            format!("the chain's head is entry {says}, but the last entry is {last}")
        };
        report.problems.named.push(contradiction(what));
    }
    Ok(report)
}

const fn contradiction(what: String) -> Problem {
    Problem::Contradiction { what }
}

/// The two copies of the checkpoints must agree; only the newest may be in the file alone, for it is written there first.
fn compare(verifier: &mut Verifier, kept: &[String], beside: &[String]) {
    let known: HashSet<&String> = kept.iter().collect();
    let in_file: HashSet<&String> = beside.iter().collect();
    for line in kept.iter().filter(|l| !in_file.contains(l)) {
        verifier
            .problem(contradiction(format!("the checkpoint {} is gone from the file beside the database", name(line))));
    }
    let last = beside.len().saturating_sub(1);
    for (place, line) in beside.iter().enumerate() {
        if place != last && !known.contains(line) && SignedCheckpoint::from_line(line).is_some() {
            verifier.problem(contradiction(format!("the checkpoint {} is gone from the database", name(line))));
        }
    }
}

fn name(line: &str) -> String {
    let read = SignedCheckpoint::from_line(line);
    read.map_or_else(|| format!("`{line:.60}`"), |s| format!("of entry {}", s.checkpoint.sequence))
}
