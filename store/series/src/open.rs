//! Opening: the groups, the blocks, the replay of the log; what is damaged is reported and set aside. I/O.

use std::path::Path;
use std::sync::Arc;

use kernel::series::{Row, SeriesError};

use crate::block::{self, Block};
use crate::catalog::Catalog;
use crate::files::{delete, make_folder, numbered, set_aside, sync_folder};
use crate::head::Verdict;
use crate::registry::decode_group;
use crate::store::{Core, Options, SeriesStore, lock, verify_row};
use crate::wal::{self, Wal, read_segment};

/// The list of groups is written anew when this many of its groups have no samples any more, and they are the larger part.
const DEAD_GROUPS: usize = 256;

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Series known.
    pub series: usize,
    /// Groups known.
    pub groups: usize,
    /// Rows read from the log.
    pub replayed: u64,
    /// Bytes at the log's end that were torn off while being written; nobody was told that they are taken.
    pub torn_bytes: u64,
    /// What is damaged, for people; the files are in `damaged/`, the rest is served.
    pub damage: Vec<String>,
}

impl SeriesStore {
    /// Opens the store in a folder, making it when it is missing.
    ///
    /// # Errors
    /// The folder cannot be used or another process uses it. Damage is no error: see [`OpenReport::damage`].
    pub fn open(folder: &Path, options: Options) -> Result<(Self, OpenReport), SeriesError> {
        make_folder(folder)?;
        let lock = lock(folder)?;
        let (logs, blocks) = (folder.join("wal"), folder.join("blocks"));
        make_folder(&logs)?;
        make_folder(&blocks)?;
        let mut report = OpenReport::default();
        let mut core = Core::default();
        let (mut catalog, damage) = Catalog::open(folder, &mut core.registry)?;
        report.damage.extend(damage);
        read_blocks(folder, &blocks, &mut core, &mut catalog, &mut report)?;
        let through = core.blocks.iter().map(|b| b.summary.wal_through).max().unwrap_or(0);
        wal::drop_through(&logs, through)?;
        let (last, damaged) = replay(&logs, &mut core, &mut report)?;
        drop_dead_groups(folder, &mut core, &mut catalog)?;
        report.series = core.registry.series_count();
        report.groups = core.registry.group_count();
        let wal = Wal::new(&logs, last.max(through) + 1);
        let store = Self::new(folder.to_owned(), options, wal, catalog, core, lock);
        if !damaged.is_empty() {
            // What could be read goes to a block, so that the damaged segments can leave.
            store.cut_setting_aside(&damaged)?;
        }
        for line in &report.damage {
            tracing::error!(damage = line, "the series store is damaged; the rest is served");
        }
        Ok((store, report))
    }
}

fn read_blocks(
    folder: &Path,
    blocks: &Path,
    core: &mut Core,
    catalog: &mut Catalog,
    report: &mut OpenReport,
) -> Result<(), SeriesError> {
    for (_, path) in numbered(blocks, ".tmp")? {
        delete(&path)?;
    }
    let mut found = Vec::new();
    for (number, path) in numbered(blocks, block::ENDING)? {
        block::verify_version(&path)?;
        let opened = Block::open(number, &path).and_then(|b| b.groups().map(|groups| (b, groups)));
        match opened {
            Ok(opened) => found.push(opened),
            Err(error) => {
                report.damage.push(error.to_string());
                set_aside(folder, &path)?;
            }
        }
    }
    let replaced: Vec<(u64, u64)> = found.iter().map(|(b, _)| (b.summary.replaces_from, b.number)).collect();
    for (block, groups) in found {
        if replaced.iter().any(|(from, to)| (*from..*to).contains(&block.number)) {
            delete(&block.path)?;
            continue;
        }
        for entry in &groups {
            core.head.known(entry.group, entry.min_ms, entry.max_ms);
            if core.registry.group(entry.group).is_none() {
                let record = block.record(entry).ok().and_then(|r| decode_group(&r));
                match record.filter(|(group, _)| *group == entry.group) {
                    Some((group, series)) => {
                        catalog.add(group, &series)?;
                        core.registry.insert(group, &series);
                    }
                    None => report.damage.push(format!(
                        "{}: nothing says any more which series group {} holds",
                        block.path.display(),
                        entry.group
                    )),
                }
            }
        }
        core.blocks.push(Arc::new(block));
    }
    catalog.sync()?;
    sync_folder(blocks)
}

/// Reads the log into the head; returns the last segment's number and the damaged segments.
fn replay(
    logs: &Path,
    core: &mut Core,
    report: &mut OpenReport,
) -> Result<(u64, Vec<std::path::PathBuf>), SeriesError> {
    let (mut last, mut damaged) = (0, Vec::new());
    for (number, path) in numbered(logs, wal::ENDING)? {
        let mut unknown = 0u64;
        let take = |row: Row| {
            if verify_row(core, &row).is_err() {
                core.registry.reserve_group(row.group.0);
                unknown += 1;
            } else if core.head.judge(&row, None) == Verdict::Newer {
                core.head.push(&row);
                report.replayed += 1;
            }
        };
        let found = read_segment(&path, take)?;
        report.torn_bytes += found.torn;
        if unknown > 0 {
            report.damage.push(format!("{}: {unknown} rows belong to groups that are not known", path.display()));
        }
        if unknown > 0 || !found.damage.is_empty() {
            report.damage.extend(found.damage);
            damaged.push(path);
        }
        last = number;
    }
    Ok((last, damaged))
}

/// Forgets groups that have no sample anywhere any more: otherwise the list would only ever grow.
fn drop_dead_groups(folder: &Path, core: &mut Core, catalog: &mut Catalog) -> Result<(), SeriesError> {
    let all: Vec<u32> = core.registry.groups().collect();
    let mut live: Vec<u32> = all.iter().copied().filter(|g| core.head.groups.contains_key(g)).collect();
    let dead = all.len() - live.len();
    if dead < DEAD_GROUPS || dead * 2 < all.len() {
        return Ok(());
    }
    live.sort_unstable();
    let mut registry = crate::registry::Registry::default();
    for group in live {
        registry.insert(group, &core.registry.group_labels(group));
    }
    registry.reserve_group(core.registry.last_group());
    core.registry = registry;
    catalog.rewrite(folder, &core.registry)
}
