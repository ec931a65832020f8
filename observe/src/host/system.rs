//! Load, file descriptors, pressure and the name of this machine. I/O around pure parsing.

use std::io;

use kernel::probe::Reading;

use super::proc_file::ProcFile;

/// Reads what is left.
#[derive(Debug)]
pub(crate) struct SystemReader {
    load: ProcFile,
    files: ProcFile,
    pressure: [(&'static str, ProcFile); 3],
}

impl Default for SystemReader {
    fn default() -> Self {
        Self {
            load: ProcFile::new("/proc/loadavg"),
            files: ProcFile::new("/proc/sys/fs/file-nr"),
            pressure: [
                ("cpu", ProcFile::new("/proc/pressure/cpu")),
                ("io", ProcFile::new("/proc/pressure/io")),
                ("memory", ProcFile::new("/proc/pressure/memory")),
            ],
        }
    }
}

impl SystemReader {
    pub(crate) fn read(&mut self, out: &mut Vec<Reading>) -> io::Result<()> {
        push_words(self.load.read()?, ' ', &["node_load1", "node_load5", "node_load15"], out);
        push_words(self.files.read()?, '\t', &["node_filefd_allocated", "", "node_filefd_maximum"], out);
        for (resource, file) in &mut self.pressure {
            // Kernels built without it have no such files: nothing to say then.
            if let Ok(text) = file.read() {
                parse_pressure(resource, text, out);
            }
        }
        push_uname(out)
    }
}

/// Numbers in a row, one metric each; `""` skips one.
fn push_words(text: &str, separator: char, metrics: &[&str], out: &mut Vec<Reading>) {
    for (metric, word) in metrics.iter().zip(text.trim().split(separator)) {
        if let (false, Ok(value)) = (metric.is_empty(), word.trim().parse()) {
            out.push(Reading::new(metric, value));
        }
    }
}

/// `some` (at least one task waits) and `full` (all do), of which `total` counts microseconds.
fn parse_pressure(resource: &str, text: &str, out: &mut Vec<Reading>) {
    for line in text.lines() {
        let kind = match line.split(' ').next() {
            Some("some") => "waiting",
            // node_exporter leaves the CPU's out, which is zero for the whole machine.
            Some("full") if resource != "cpu" => "stalled",
            _ => continue,
        };
        let total = line.rsplit_once("total=").and_then(|(_, n)| n.trim().parse::<f64>().ok());
        let metric = format!("node_pressure_{resource}_{kind}_seconds_total");
        out.extend(total.map(|us| Reading::new(&metric, us / 1e6)));
    }
}

fn push_uname(out: &mut Vec<Reading>) -> io::Result<()> {
    let name = nix::sys::utsname::uname()?;
    let text = |s: &std::ffi::OsStr| s.to_string_lossy().into_owned();
    out.push(
        Reading::new("node_uname_info", 1.0)
            .label("sysname", text(name.sysname()))
            .label("release", text(name.release()))
            .label("version", text(name.version()))
            .label("machine", text(name.machine()))
            .label("nodename", text(name.nodename()))
            .label("domainname", text(name.domainname())),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn met_05_load_and_pressure() {
        let mut out = Vec::new();
        push_words("0.50 1.25 2.00 3/500 1234\n", ' ', &["node_load1", "node_load5", "node_load15"], &mut out);
        push_words("1024\t0\t9000\n", '\t', &["node_filefd_allocated", "", "node_filefd_maximum"], &mut out);
        let io = "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 total=500000\n";
        parse_pressure("io", io, &mut out);
        parse_pressure("cpu", io, &mut out);
        let got: Vec<(String, f64)> = out.into_iter().map(|r| (r.metric, r.value)).collect();
        let expect = [
            ("node_load1", 0.5),
            ("node_load5", 1.25),
            ("node_load15", 2.0),
            ("node_filefd_allocated", 1024.0),
            ("node_filefd_maximum", 9000.0),
            ("node_pressure_io_waiting_seconds_total", 1.5),
            ("node_pressure_io_stalled_seconds_total", 0.5),
            ("node_pressure_cpu_waiting_seconds_total", 1.5),
        ];
        assert_eq!(got, expect.map(|(m, v)| (m.to_owned(), v)));
    }
}
