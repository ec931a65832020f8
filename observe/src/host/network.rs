//! What network interfaces received and sent: `/proc/net/dev`, speed from `/sys`. I/O around pure parsing.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use kernel::Timestamp;
use kernel::probe::Reading;

use super::proc_file::ProcFile;

/// Most interfaces measured: more are containers' ends.
const MOST_INTERFACES: usize = 64;

/// Counters in the order of the file: eight received, then eight sent; `""` is not exported.
const FIELDS: [&str; 16] = [
    "node_network_receive_bytes_total",
    "node_network_receive_packets_total",
    "node_network_receive_errs_total",
    "node_network_receive_drop_total",
    "",
    "",
    "",
    "",
    "node_network_transmit_bytes_total",
    "node_network_transmit_packets_total",
    "node_network_transmit_errs_total",
    "node_network_transmit_drop_total",
    "",
    "",
    "",
    "",
];

/// Reads interfaces and keeps the counters of the sample before.
#[derive(Debug)]
pub(crate) struct NetworkReader {
    file: ProcFile,
    before: HashMap<String, Bytes>,
}

/// Bytes of one interface so far.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bytes {
    at: Timestamp,
    received: f64,
    sent: f64,
}

/// One line of the file.
#[derive(Debug, PartialEq)]
struct Interface<'a> {
    name: &'a str,
    counters: [f64; 16],
}

impl Default for NetworkReader {
    fn default() -> Self {
        Self { file: ProcFile::new("/proc/net/dev"), before: HashMap::new() }
    }
}

impl NetworkReader {
    pub(crate) fn read(&mut self, now: Timestamp, wanted: &[String], out: &mut Vec<Reading>) -> io::Result<()> {
        let all = parse_interfaces(self.file.read()?);
        let mut chosen = choose_interfaces(all, wanted, is_physical);
        chosen.truncate(MOST_INTERFACES);
        self.before.retain(|name, _| chosen.iter().any(|i| i.name == name));
        for interface in &chosen {
            push_counters(interface, out);
            let speed = read_speed(interface.name);
            let bytes = Bytes { at: now, received: interface.counters[0], sent: interface.counters[8] };
            let before = self.before.insert(interface.name.to_owned(), bytes);
            if let Some(speed) = speed {
                out.push(Reading::new("node_network_speed_bytes", speed).label("device", interface.name));
                push_ratios(interface.name, before, bytes, speed, out);
            }
        }
        Ok(())
    }
}

fn parse_interfaces(text: &str) -> Vec<Interface<'_>> {
    let parse_line = |line| {
        let (name, rest) = str::split_once(line, ':')?;
        let mut counters = [0.0; 16];
        let mut words = rest.split_ascii_whitespace();
        for counter in &mut counters {
            *counter = words.next()?.parse().ok()?;
        }
        Some(Interface { name: name.trim(), counters })
    };
    text.lines().filter_map(parse_line).collect()
}

/// Those that the plan names, else the physical ones, else (in containers and virtual machines without such) all but
/// loopback.
fn choose_interfaces<'a>(
    mut all: Vec<Interface<'a>>,
    wanted: &[String],
    is_physical: impl Fn(&str) -> bool,
) -> Vec<Interface<'a>> {
    if !wanted.is_empty() {
        all.retain(|i| wanted.iter().any(|w| w == i.name));
        return all;
    }
    all.retain(|i| i.name != "lo");
    if all.iter().any(|i| is_physical(i.name)) {
        all.retain(|i| is_physical(i.name));
    }
    all
}

/// Interfaces with hardware behind them (a virtual machine's count) have a device in `/sys`.
fn is_physical(name: &str) -> bool {
    Path::new("/sys/class/net").join(name).join("device").exists()
}

/// Bytes per second. The kernel gives Mbit/s, and -1 or an error when it does not know.
fn read_speed(name: &str) -> Option<f64> {
    let text = std::fs::read_to_string(Path::new("/sys/class/net").join(name).join("speed")).ok()?;
    let megabits: f64 = text.trim().parse().ok()?;
    (megabits > 0.0).then_some(megabits * 1e6 / 8.0)
}

fn push_counters(interface: &Interface<'_>, out: &mut Vec<Reading>) {
    for (metric, value) in FIELDS.into_iter().zip(interface.counters) {
        if !metric.is_empty() {
            out.push(Reading::new(metric, value).label("device", interface.name));
        }
    }
}

/// Share of the capacity used since the sample before, each direction for itself (full duplex).
fn push_ratios(name: &str, before: Option<Bytes>, now: Bytes, speed: f64, out: &mut Vec<Reading>) {
    let Some(before) = before else { return };
    let seconds = now.at.since(before.at).as_secs_f64();
    if seconds <= 0.0 {
        return;
    }
    for (direction, bytes) in [("receive", now.received - before.received), ("transmit", now.sent - before.sent)] {
        // A counter that steps back began anew: nothing can be said of this interval.
        if bytes >= 0.0 {
            let reading = Reading::new("farero_host_network_used_ratio", bytes / seconds / speed);
            out.push(reading.label("device", name).label("direction", direction));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEV: &str = "Inter-|   Receive                      |  Transmit\n face |bytes packets errs\n    \
        lo:  500 5 0 0 0 0 0 0 500 5 0 0 0 0 0 0\n  eth0: 1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0\n\
        docker0: 7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n";

    fn check(wanted: &[&str], physical: &[&str], expect: &[&str]) {
        let wanted: Vec<String> = wanted.iter().map(|w| (*w).to_owned()).collect();
        let chosen = choose_interfaces(parse_interfaces(DEV), &wanted, |n| physical.contains(&n));
        assert_eq!(chosen.iter().map(|i| i.name).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn chk_06_interfaces_without_loopback_and_virtual_ones() {
        check(&[], &["eth0"], &["eth0"]);
        check(&[], &[], &["eth0", "docker0"]);
        check(&["lo"], &["eth0"], &["lo"]);
    }

    #[test]
    fn met_05_network_as_a_share_of_its_capacity() {
        let at = |s, received, sent| Bytes { at: Timestamp::from_secs(s), received, sent };
        let mut out = Vec::new();
        push_ratios("eth0", Some(at(0, 0.0, 900.0)), at(10, 500.0, 0.0), 100.0, &mut out);
        push_ratios("eth0", None, at(10, 500.0, 0.0), 100.0, &mut out);
        push_ratios("eth0", Some(at(10, 0.0, 0.0)), at(10, 500.0, 0.0), 100.0, &mut out);
        let expect = Reading::new("farero_host_network_used_ratio", 0.5).label("device", "eth0");
        assert_eq!(out, [expect.label("direction", "receive")]);
    }

    #[test]
    fn met_05_network_counters() {
        let mut out = Vec::new();
        push_counters(&parse_interfaces(DEV)[1], &mut out);
        let got: Vec<(&str, f64)> = out.iter().map(|r| (r.metric.as_str(), r.value)).collect();
        let expect = [
            ("node_network_receive_bytes_total", 1000.0),
            ("node_network_receive_packets_total", 10.0),
            ("node_network_receive_errs_total", 1.0),
            ("node_network_receive_drop_total", 2.0),
            ("node_network_transmit_bytes_total", 2000.0),
            ("node_network_transmit_packets_total", 20.0),
            ("node_network_transmit_errs_total", 3.0),
            ("node_network_transmit_drop_total", 4.0),
        ];
        assert_eq!(got, expect);
    }
}
