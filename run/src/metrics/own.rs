//! The engine's own numbers in Prometheus's text form. I/O: the operating system.

use std::fmt::Write as _;

use super::backend::Engine;
use web_prometheus::Backend as _;

/// A text that numbers are added to.
#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.head(name, kind, help);
        let _ = writeln!(self.0, "{name} {value}");
    }
}

/// All of them.
pub(super) fn render(engine: &Engine) -> String {
    let mut text = Text::default();
    process(&mut text, engine);
    store(&mut text, engine);
    received(&mut text, engine);
    scraped(&mut text, engine);
    for (name, help, value) in engine.gate().counts().all() {
        text.one(name, if name.ends_with("_total") { "counter" } else { "gauge" }, help, value as f64);
    }
    text.0.push_str(&engine.rules.exposition());
    text.0
}

/// The usual numbers of a process, under the names that every exporter has.
fn process(text: &mut Text, engine: &Engine) {
    let started = engine.settings().started_at.as_secs_f64();
    text.one("process_start_time_seconds", "gauge", "When this process started.", started);
    let version = &engine.settings().build.revision;
    text.head("farero_build_info", "gauge", "What this is.");
    let _ = writeln!(text.0, "farero_build_info{{revision=\"{version}\"}} 1");
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return };
    // The second field is the program's name in parentheses, which may hold blanks.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok());
    let ticks = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100) as f64;
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4_096) as f64;
    // Fields 14, 15, 23 and 24 of proc_pid_stat(5); the first one here is the third.
    if let (Some(user), Some(system)) = (field(11), field(12)) {
        let seconds = (user + system) / ticks;
        text.one("process_cpu_seconds_total", "counter", "Time on processors, user and system.", seconds);
    }
    if let (Some(virtual_bytes), Some(resident)) = (field(20), field(21)) {
        text.one("process_virtual_memory_bytes", "gauge", "Addresses in use.", virtual_bytes);
        text.one("process_resident_memory_bytes", "gauge", "Memory in use.", resident * page);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        text.one("process_open_fds", "gauge", "File descriptors in use.", open.count() as f64);
    }
}

fn store(text: &mut Text, engine: &Engine) {
    let s = engine.store.stats();
    let all: [(&str, &str, &str, u64); 16] = [
        ("farero_store_series", "gauge", "Series in memory.", s.series),
        ("farero_store_groups", "gauge", "Groups of series in memory.", s.groups),
        ("farero_store_head_bytes", "gauge", "Bytes of samples in memory.", s.head_bytes),
        ("farero_store_blocks", "gauge", "Blocks on disk.", s.blocks),
        ("farero_store_block_bytes", "gauge", "Bytes of blocks on disk.", s.block_bytes),
        ("farero_store_rollups", "gauge", "Roll-ups on disk.", s.rollups),
        ("farero_store_rollup_bytes", "gauge", "Bytes of roll-ups on disk.", s.rollup_bytes),
        ("farero_store_rollups_made_total", "counter", "Roll-ups made of blocks that left.", s.rollups_made),
        ("farero_store_rollups_joined_total", "counter", "Fine roll-ups joined into rough ones.", s.rollups_joined),
        (
            "farero_store_rollups_lost_total",
            "counter",
            "Blocks that left without a roll-up: damaged, or refused by a full disk.",
            s.rollups_lost,
        ),
        ("farero_store_samples_total", "counter", "Samples taken.", s.samples),
        ("farero_store_out_of_order_total", "counter", "Samples left out because they came too late.", s.out_of_order),
        ("farero_store_duplicates_total", "counter", "Samples that were there already.", s.duplicates),
        ("farero_store_commits_total", "counter", "Commits to the log.", s.commits),
        ("farero_store_failed_commits_total", "counter", "Commits that failed.", s.failed_commits),
        ("farero_store_damaged_total", "counter", "Damaged parts found while reading.", s.damaged),
    ];
    for (name, kind, help, value) in all {
        text.one(name, kind, help, value as f64);
    }
}

fn received(text: &mut Text, engine: &Engine) {
    let senders = engine.writer.senders();
    if senders.is_empty() {
        return;
    }
    let mut each = |name: &str, kind: &str, help: &str, of: &dyn Fn(&observe_receive::writer::Sender) -> u64| {
        text.head(name, kind, help);
        for sender in &senders {
            let _ = writeln!(text.0, "{name}{{sender={:?}}} {}", sender.name(), of(sender));
        }
    };
    each("farero_receive_series", "gauge", "Series of a sender.", &|s| s.series() as u64);
    each("farero_receive_requests_total", "counter", "Requests understood.", &|s| s.counters().requests());
    each("farero_receive_samples_total", "counter", "Samples taken.", &|s| s.counters().samples());
    let name = "farero_receive_rejected_total";
    text.head(name, "counter", "Samples turned away, by reason.");
    for sender in &senders {
        for (reason, count) in sender.counters().rejected().filter(|(_, n)| *n > 0) {
            let (sender, reason) = (sender.name(), reason.name());
            let _ = writeln!(text.0, "{name}{{reason=\"{reason}\",sender={sender:?}}} {count}");
        }
    }
}

fn scraped(text: &mut Text, engine: &Engine) {
    let Some(manager) = engine.manager() else { return };
    for (name, help, value) in manager.counters().all() {
        text.one(name, "counter", help, value as f64);
    }
}
