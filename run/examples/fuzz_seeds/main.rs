//! Writes what the fuzz targets begin with, made of real inputs: expressions and rules of this repository, expositions, bodies as senders
//! make them, files as the store writes them, blocks as `promtool` makes them. I/O: reads the repository, writes a folder.
//!
//! `cargo run -p run --example fuzz_seeds -- fuzz/corpus`, in the repository's root. Folders are named as the targets; `NAME.dict` beside
//! them are words for `-dict=`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod messages;
mod stored;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

/// Bytes of a file's hash that name it: as many as libFuzzer's own names have.
const NAME_BYTES: usize = 20;

/// Texts of people: what they end with, and which target reads them.
const TEXTS: &[(&str, &[&str], &str)] = &[
    ("plans", &["yaml"], "plan"),
    ("plans", &["yaml"], "rules"),
    ("decide/promql/tests/data", &["test"], "promql"),
    ("fuzz/seeds/rules", &["yml"], "rules"),
    ("fuzz/seeds/scrape_config", &["yml"], "scrape_config"),
    ("fuzz/seeds/scrape_bodies", &["txt", "om"], "scrape_bodies"),
    ("fuzz/seeds/credentials", &["txt"], "credentials"),
    ("fuzz/seeds/oidc", &["txt"], "oidc"),
    ("fuzz/seeds/receive", &["json"], "receive"),
];

fn main() -> Result<()> {
    let out = PathBuf::from(std::env::args().nth(1).context("say into which folder: fuzz/corpus")?);
    let mut seeds = Seeds { out, count: 0 };
    for (folder, ends, target) in TEXTS {
        for path in files(Path::new(folder), ends)? {
            let text = std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            match *target {
                "promql" => expressions(&mut seeds, &String::from_utf8_lossy(&text))?,
                target => seeds.add(target, &text)?,
            }
        }
    }
    for (target, bytes) in messages::all() {
        seeds.add(target, &bytes)?;
    }
    for (target, bytes) in stored::all()? {
        seeds.add(target, &bytes)?;
    }
    seeds.words("promql", &promql_words())?;
    seeds.words("rules", &promql_words())?;
    seeds.words("scrape_bodies", &exposition_words())?;
    println!("{} files below {}", seeds.count, seeds.out.display());
    Ok(())
}

struct Seeds {
    out: PathBuf,
    count: usize,
}

impl Seeds {
    /// A file whose name is made of what is in it, so that the same comes once.
    fn add(&mut self, target: &str, bytes: &[u8]) -> Result<()> {
        let folder = self.out.join(target);
        std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let name: String = Sha256::digest(bytes).iter().take(NAME_BYTES).map(|b| format!("{b:02x}")).collect();
        std::fs::write(folder.join(name), bytes)?;
        self.count += 1;
        Ok(())
    }

    fn words(&self, target: &str, words: &BTreeSet<String>) -> Result<()> {
        let lines: String =
            words.iter().map(|w| format!("\"{}\"\n", w.replace('\\', "\\\\").replace('"', "\\\""))).collect();
        Ok(std::fs::write(self.out.join(format!("{target}.dict")), lines)?)
    }
}

/// All files below a folder that end so, in the order of their names.
fn files(folder: &Path, ends: &[&str]) -> Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let list = std::fs::read_dir(&folder)
            .with_context(|| format!("{} cannot be listed: run this in the repository's root", folder.display()))?;
        for entry in list {
            let path = entry?.path();
            let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            match path.is_dir() {
                true => folders.push(path),
                false if ends.contains(&ending) => out.push(path),
                false => {}
            }
        }
    }
    out.sort();
    Ok(out)
}

/// The expressions of a test script: what follows the time of `eval`.
fn expressions(seeds: &mut Seeds, script: &str) -> Result<()> {
    for line in script.lines() {
        let Some(rest) = line.strip_prefix("eval") else { continue };
        // `instant at TIME EXPR`, `range from A to B step C EXPR`.
        let words = if rest.contains(" range from ") { 7 } else { 3 };
        let mut rest = rest.trim_start();
        for _ in 0..words {
            rest = rest.split_once(char::is_whitespace).map_or("", |(_, after)| after.trim_start());
        }
        seeds.add("promql", rest.as_bytes())?;
    }
    Ok(())
}

/// Names of functions, operators, and what else has a meaning.
fn promql_words() -> BTreeSet<String> {
    let functions = decide_promql::functions().iter().map(|f| format!("{}(", f.name));
    let others = "sum avg min max count group stddev stdvar topk( bottomk( quantile( count_values( limitk( limit_ratio( by( without( on( \
        ignoring( group_left( group_right( fill( fill_left( fill_right( offset bool and or unless atan2 == != >= <= =~ !~ @ @start() \
        @end() [5m] [5m:1m] [1m:] anchored smoothed NaN Inf 0x1F 1e-3 1_000 1h30m start() end() step() range() max( min( inf {{ }} __name__";
    functions.chain(others.split_whitespace().map(str::to_owned)).collect()
}

/// What has a meaning in expositions.
fn exposition_words() -> BTreeSet<String> {
    let words = "# HELP |# TYPE |# UNIT |# EOF|counter|gauge|histogram|summary|gaugehistogram|stateset|info|unknown|untyped|_total|_bucket|\
        _count|_sum|_created|_info|{le=\"+Inf\"}|{quantile=\"0.5\"}| # {trace_id=\"a\"} 1 | st@1.5| # {}|NaN|+Inf|-Inf|\\n|1e300| 1.5e9";
    words.split('|').map(|w| w.trim_end_matches('\n').to_owned()).filter(|w| !w.trim().is_empty()).collect()
}
