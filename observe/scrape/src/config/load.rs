//! Whole files: the main one, and those with further jobs. I/O: reads them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fields::Fields;
use super::global::global;
use super::job::job;
use super::others::{alerting, otlp, remotes, storage, without_effect};
use super::{Alerting, Config, ConfigError, Context, Global, Job, Node, Otlp, Storage, read_yaml};

/// A configuration file larger than this is none.
const LARGEST_FILE_BYTES: u64 = 32 << 20;

impl Config {
    /// Of jobs that come from elsewhere than from a file.
    pub fn of_jobs(jobs: Vec<Arc<Job>>) -> Self {
        Self {
            global: Global::default(),
            rule_files: Vec::new(),
            scrape_config_files: Vec::new(),
            jobs,
            alerting: Alerting::default(),
            storage: Storage::default(),
            otlp: Otlp::default(),
            remote_write: Vec::new(),
            remote_read: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Reads a configuration from a text; relative paths are below `dir`. Further files with jobs are not read.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the file.
    pub fn parse(file: &str, text: &str, dir: &Path) -> Result<Self, Vec<ConfigError>> {
        Self::parse_with(file, text, dir, &|name| std::env::var(name).ok())
    }

    fn parse_with(
        file: &str,
        text: &str,
        dir: &Path,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<ConfigError>> {
        let mut ctx = Context::new(file, dir.to_owned());
        let root = match read_yaml(text) {
            Ok(root) => root,
            Err(e) => {
                let (line, column, message) = (e.line, e.column, e.message);
                return Err(vec![ConfigError { file: file.to_owned(), line, column, message }]);
            }
        };
        let empty = Node { value: super::Value::Null, line: 1, column: 1 };
        let config = whole(&mut ctx, root.as_ref().unwrap_or(&empty), environment);
        ctx.errors.sort_by_key(|e| (e.line, e.column));
        if ctx.errors.is_empty() { Ok(Self { notes: ctx.notes, ..config }) } else { Err(ctx.errors) }
    }

    /// Reads a configuration file and the files with further jobs that it names.
    ///
    /// # Errors
    /// A file cannot be read; everything that is wrong in one.
    pub fn load(path: &Path) -> Result<Self, Vec<ConfigError>> {
        let name = path.display().to_string();
        let text = read_file(path).map_err(|e| vec![e])?;
        let dir = path.parent().map(Path::to_owned).unwrap_or_default();
        let mut config = Self::parse(&name, &text, &dir)?;
        config.load_further()?;
        Ok(config)
    }

    fn load_further(&mut self) -> Result<(), Vec<ConfigError>> {
        let mut names: HashMap<String, String> =
            self.jobs.iter().map(|job| (job.name.clone(), "main config file".to_owned())).collect();
        let mut errors = Vec::new();
        for path in self.scrape_config_files.iter().flat_map(|pattern| matching(pattern)) {
            let name = path.display().to_string();
            let text = match read_file(&path) {
                Ok(text) => text,
                Err(e) => {
                    errors.push(e);
                    continue;
                }
            };
            let mut ctx = Context::new(&name, path.parent().map(Path::to_owned).unwrap_or_default());
            ctx.scheme = self.global.job.scheme;
            match read_yaml(&text) {
                Ok(Some(root)) => {
                    let mut fields = Fields::open(&mut ctx, &root, "config.ScrapeConfigs");
                    for node in fields.list(&mut ctx, "scrape_configs") {
                        let Some(job) = job(&mut ctx, node, &self.global) else { continue };
                        if let Some(first) = names.insert(job.name.clone(), format!("{name:?}")) {
                            let text = "found multiple scrape configs with job name";
                            ctx.error(node, format!("{text} {:?}, first found in {first}", job.name));
                        }
                        self.jobs.push(Arc::new(job));
                    }
                    fields.finish(&mut ctx);
                }
                Ok(None) => {}
                Err(e) => errors.push(ConfigError { file: name, line: e.line, column: e.column, message: e.message }),
            }
            errors.append(&mut ctx.errors);
            self.notes.append(&mut ctx.notes);
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The rule files that there are now, sorted within each pattern.
    pub fn rule_paths(&self) -> Vec<PathBuf> {
        self.rule_files.iter().flat_map(|pattern| matching(pattern)).collect()
    }
}

/// Files that match a pattern; one without wildcards is itself, whether it is there or not.
pub(crate) fn matching(pattern: &Path) -> Vec<PathBuf> {
    let text = pattern.to_string_lossy();
    if !text.contains(['*', '?', '[']) {
        return vec![pattern.to_owned()];
    }
    // Go's patterns know no `**`, and `*` does not cross folders.
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
    glob::glob_with(&text, options).into_iter().flatten().filter_map(Result::ok).collect()
}

fn read_file(path: &Path) -> Result<String, ConfigError> {
    let fail = |message: String| ConfigError { file: path.display().to_string(), line: 1, column: 1, message };
    let size = std::fs::metadata(path).map_err(|e| fail(format!("the file cannot be read: {e}")))?.len();
    if size > LARGEST_FILE_BYTES {
        return Err(fail(format!("the file has {size} bytes; {LARGEST_FILE_BYTES} are read at most")));
    }
    std::fs::read_to_string(path).map_err(|e| fail(format!("the file cannot be read: {e}")))
}

fn patterns(ctx: &mut Context, fields: &mut Fields<'_>, key: &str, kind: &str) -> Vec<PathBuf> {
    let all = fields.strings(ctx, key);
    for text in &all {
        // A wildcard may stand in the last part of a path only.
        if text.find('*').is_some_and(|at| text[at..].contains('/') || text[at + 1..].contains('*')) {
            ctx.error(fields.place(key), format!("invalid {kind} file path {text:?}"));
        }
    }
    all.iter().map(|text| ctx.path(text)).collect()
}

fn whole(ctx: &mut Context, root: &Node, environment: &dyn Fn(&str) -> Option<String>) -> Config {
    let mut fields = Fields::open(ctx, root, "config.Config");
    let section = fields.get("global");
    let global: Global = global(ctx, section, environment);
    let rule_files = patterns(ctx, &mut fields, "rule_files", "rule");
    let scrape_config_files = patterns(ctx, &mut fields, "scrape_config_files", "scrape config");
    let mut jobs: Vec<Arc<super::Job>> = Vec::new();
    for node in fields.list(ctx, "scrape_configs") {
        let Some(job) = job(ctx, node, &global) else { continue };
        if jobs.iter().any(|other| other.name == job.name) {
            ctx.error(node, format!("found multiple scrape configs with job name {:?}", job.name));
        }
        jobs.push(Arc::new(job));
    }
    let config = Config {
        rule_files,
        scrape_config_files,
        jobs,
        alerting: fields.get("alerting").map_or_else(Alerting::default, |node| alerting(ctx, node)),
        storage: fields.get("storage").map_or_else(Storage::default, |node| storage(ctx, node)),
        otlp: fields.get("otlp").map_or_else(Otlp::default, |node| otlp(ctx, node)),
        remote_write: remotes(ctx, &mut fields, true),
        remote_read: remotes(ctx, &mut fields, false),
        notes: Vec::new(),
        global,
    };
    without_effect(ctx, &mut fields);
    fields.finish(ctx);
    config
}
