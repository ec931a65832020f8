//! The groups of the store that a sender's series lie in. Pure.
//!
//! One group for each job and instance, `write/SENDER/JOB/INSTANCE`; when it has as many series as a group may have, new series
//! go to a second one, `…/2`, and so on.

use hashbrown::HashMap;
use kernel::Labels;
use kernel::series::{GroupId, KnownColumns, SeriesError, SeriesRef, SeriesWriter};

#[derive(Clone, Copy, Debug)]
struct Part {
    group: GroupId,
    series: u32,
    /// Whether the store was asked how many series it has.
    asked: bool,
}

/// The groups that are open.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    open: HashMap<Box<str>, Vec<Part>>,
}

impl Groups {
    /// The series of these labels, made when they are new, in the same order.
    pub(crate) fn place(
        &mut self,
        store: &dyn SeriesWriter,
        sender: &str,
        limit: u32,
        all: &[Labels],
    ) -> Vec<Result<SeriesRef, SeriesError>> {
        let mut by_name: HashMap<Box<str>, Vec<usize>> = HashMap::new();
        for (at, labels) in all.iter().enumerate() {
            let of = |name| labels.get(name).unwrap_or_default();
            let name = format!("write/{sender}/{}/{}", of("job"), of("instance"));
            by_name.entry(name.into_boxed_str()).or_default().push(at);
        }
        // The same order in every run, so that the store's files do not depend on a hash.
        let mut by_name: Vec<_> = by_name.into_iter().collect();
        by_name.sort_unstable_by_key(|(_, places)| places.first().copied());
        let mut out = vec![None; all.len()];
        for (name, places) in by_name {
            let mut placed = self.place_in(store, &name, limit, (all, &places), &mut out);
            if let Err(SeriesError::UnknownGroup(_)) = placed {
                // Nothing came for long: the group is opened again.
                self.open.remove(&name);
                placed = self.place_in(store, &name, limit, (all, &places), &mut out);
            }
            if let Err(error) = placed {
                for at in places {
                    if let Some(slot @ None) = out.get_mut(at) {
                        *slot = Some(Err(error.clone()));
                    }
                }
            }
        }
        let missing = || Err(SeriesError::Storage("the store gave fewer columns than series".into()));
        out.into_iter().map(|placed| placed.unwrap_or_else(missing)).collect()
    }

    fn place_in(
        &mut self,
        store: &dyn SeriesWriter,
        name: &str,
        limit: u32,
        (all, places): (&[Labels], &[usize]),
        out: &mut [Option<Result<SeriesRef, SeriesError>>],
    ) -> Result<(), SeriesError> {
        let parts = self.open.entry(name.into()).or_default();
        let mut left = places.to_vec();
        for number in 0.. {
            if left.is_empty() {
                break;
            }
            if number == parts.len() {
                let group = match number {
                    0 => store.open_group(name)?,
                    _ => store.open_group(&format!("{name}/{}", number + 1))?,
                };
                parts.push(Part { group, series: 0, asked: false });
            }
            let parts_open = parts.len();
            let Some(part) = parts.get_mut(number) else { break };
            let labels = |places: &[usize]| places.iter().filter_map(|at| all.get(*at).cloned()).collect::<Vec<_>>();
            let mut new = Vec::new();
            let only = parts_open == 1 && part.asked && part.series as usize + left.len() <= limit as usize;
            let known = match only {
                // All of them fit, and there is no other part: what is known already is answered by `columns` too.
                true => KnownColumns { columns: vec![None; left.len()], series: None },
                false => store.known_columns(part.group, &labels(&left))?,
            };
            part.asked = true;
            part.series = known.series.unwrap_or(part.series);
            for (at, column) in left.iter().zip(known.columns) {
                match (column, out.get_mut(*at)) {
                    (Some(column), Some(slot)) => *slot = Some(Ok(SeriesRef { group: part.group, column })),
                    _ => new.push(*at),
                }
            }
            let room = limit.max(1).saturating_sub(part.series) as usize;
            left = new.split_off(room.min(new.len()));
            if new.is_empty() {
                continue;
            }
            let columns = store.columns(part.group, &labels(&new))?;
            for (at, column) in new.iter().zip(columns) {
                part.series = part.series.max(column.saturating_add(1));
                if let Some(slot) = out.get_mut(*at) {
                    *slot = Some(Ok(SeriesRef { group: part.group, column }));
                }
            }
        }
        Ok(())
    }

    /// Forgets groups that the store does not know any more.
    pub(crate) fn forget(&mut self, gone: impl Fn(GroupId) -> bool) {
        self.open.retain(|_, parts| !parts.iter().any(|part| gone(part.group)));
    }
}
