//! The file that says which groups and series are in memory: only ever appended to, or written anew. I/O.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashbrown::HashMap;
use kernel::Labels;
use kernel::series::SeriesError;

use crate::codec::{Cursor, body, put_body, put_text, put_varint};
use crate::disk::File;
use crate::files::{replace, storage, sync_folder};
use crate::frame::{put_frame, scan};
use crate::limits::{FRAME_BYTES, GROUP_NAME_BYTES, GROUP_SERIES, LABEL_BYTES, LABELS};
use crate::place::Place;

const NAME: &str = "catalog";
const MAGIC: &[u8; 8] = b"FAROCAT2";
/// Kind of the frames that name a group.
const GROUP: u8 = 1;
/// Kind of the frames that hold series of a group.
const SERIES: u8 = 2;
/// Kind of the frame that says which number the next group gets.
const NEXT: u8 = 3;
/// Series in one frame: a damaged one costs no more than these.
const SERIES_PER_FRAME: usize = 4_096;

/// What the file says.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Number, name and series by column.
    pub(crate) groups: Vec<(u32, Box<str>, Vec<Labels>)>,
    pub(crate) next_group: u32,
    pub(crate) damage: Vec<String>,
}

/// The open file.
pub(crate) struct Catalog {
    path: PathBuf,
    file: File,
    length: u64,
    dirty: bool,
    /// Bytes written since the start.
    pub(crate) written: u64,
}

impl Catalog {
    /// Opens the file and reads it; where nothing may change it has to be there.
    pub(crate) fn open(place: Place<'_>) -> Result<(Self, Found), SeriesError> {
        let Place { folder, writes } = place;
        let path = folder.join(NAME);
        let failed = |e: std::io::Error| storage("read the list of series", &path, &e);
        let new = !path.exists();
        if new && writes {
            let file = File::create(&path).map_err(failed)?;
            file.write_all_at(MAGIC, 0).and_then(|()| file.sync()).map_err(failed)?;
            sync_folder(folder)?;
        }
        let file = if writes { File::open_to_write(&path) } else { File::open(&path) }.map_err(failed)?;
        let bytes = crate::disk::read(&path).map_err(failed)?;
        let frames = scan(&bytes, MAGIC.len().min(bytes.len()));
        let mut found = Found::default();
        if !bytes.starts_with(MAGIC) {
            found.damage.push(format!("{}: the first bytes are not those of a list of series", path.display()));
        }
        for (at, length) in &frames.damaged {
            found.damage.push(format!("{}: {length} bytes at {at} are damaged", path.display()));
        }
        let mut places = HashMap::new();
        for (kind, payload) in &frames.frames {
            if take(*kind, payload, &mut found, &mut places).is_none() {
                found.damage.push(format!("{}: a frame of kind {kind} is not understood", path.display()));
            }
        }
        let end = frames.end.max(MAGIC.len()) as u64;
        if end < bytes.len() as u64 && writes {
            // What was torn off while being written was never told to anybody.
            file.set_length(end).and_then(|()| file.sync()).map_err(failed)?;
        }
        Ok((Self { path, file, length: end, dirty: false, written: 0 }, found))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SeriesError> {
        if let Err(error) = self.file.write_all_at(bytes, self.length) {
            let _ = self.file.set_length(self.length);
            return Err(storage("write the list of series", &self.path, &error));
        }
        self.length += bytes.len() as u64;
        self.written += bytes.len() as u64;
        self.dirty = true;
        Ok(())
    }

    /// Adds a group; durable after the next [`Catalog::sync`].
    pub(crate) fn add_group(&mut self, group: u32, name: &str) -> Result<(), SeriesError> {
        let mut bytes = Vec::new();
        put_frame(&mut bytes, GROUP, &encode_group(group, name));
        self.write(&bytes)
    }

    /// Adds series to a group, from this column on; durable after the next [`Catalog::sync`].
    pub(crate) fn add_series(&mut self, group: u32, column: u32, series: &[Labels]) -> Result<(), SeriesError> {
        let mut bytes = Vec::new();
        put_series(&mut bytes, group, column, series);
        self.write(&bytes)
    }

    /// Makes durable what was added.
    pub(crate) fn sync(&mut self) -> Result<(), SeriesError> {
        if !self.file.is_trusted() {
            // What became of it is unknown since a sync failed: all of it goes to another file.
            let failed = |e: std::io::Error| storage("write the list of series", &self.path, &e);
            let mut bytes = vec![0; usize::try_from(self.length).unwrap_or(0)];
            self.file.read_exact_at(&mut bytes, 0).map_err(failed)?;
            if scan(&bytes, MAGIC.len()).end as u64 != self.length {
                return Err(SeriesError::Storage(format!("{}: what was written is damaged", self.path.display())));
            }
            return self.renew(&bytes);
        }
        if self.dirty {
            self.file.sync().map_err(|e| storage("write the list of series", &self.path, &e))?;
            self.dirty = false;
        }
        Ok(())
    }

    /// Writes the file anew.
    pub(crate) fn rewrite<'a>(
        &mut self,
        next_group: u32,
        groups: impl Iterator<Item = (u32, &'a str, Vec<Labels>)>,
    ) -> Result<(), SeriesError> {
        let mut bytes = MAGIC.to_vec();
        let mut next = Vec::new();
        put_varint(&mut next, u64::from(next_group));
        put_frame(&mut bytes, NEXT, &next);
        for (group, name, series) in groups {
            put_frame(&mut bytes, GROUP, &encode_group(group, name));
            put_series(&mut bytes, group, 0, &series);
        }
        self.renew(&bytes)
    }

    fn renew(&mut self, bytes: &[u8]) -> Result<(), SeriesError> {
        self.file = replace("write the list of series", &self.path, bytes)?;
        (self.length, self.dirty) = (bytes.len() as u64, false);
        self.written += self.length;
        sync_folder(self.path.parent().unwrap_or(Path::new(".")))
    }
}

fn encode_group(group: u32, name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, u64::from(group));
    put_text(&mut out, name);
    out
}

fn put_series(out: &mut Vec<u8>, group: u32, column: u32, series: &[Labels]) {
    for (i, some) in series.chunks(SERIES_PER_FRAME).enumerate() {
        let mut payload = Vec::new();
        put_varint(&mut payload, u64::from(group));
        put_varint(&mut payload, u64::from(column) + (i * SERIES_PER_FRAME) as u64);
        put_body(&mut payload, &encode_series(some));
        put_frame(out, SERIES, &payload);
    }
}

/// Label sets with each string once.
pub(crate) fn encode_series(series: &[Labels]) -> Vec<u8> {
    let mut numbers: HashMap<&str, u64> = HashMap::new();
    let (mut strings, mut sets) = (Vec::new(), Vec::new());
    put_varint(&mut sets, series.len() as u64);
    for labels in series {
        put_varint(&mut sets, labels.len() as u64);
        for text in labels.iter().flat_map(|(n, v)| [n, v]) {
            let next = numbers.len() as u64;
            let number = *numbers.entry(text).or_insert_with(|| {
                put_text(&mut strings, text);
                next
            });
            put_varint(&mut sets, number);
        }
    }
    let mut out = Vec::new();
    put_varint(&mut out, numbers.len() as u64);
    out.extend_from_slice(&strings);
    out.extend_from_slice(&sets);
    out
}

/// The label sets that [`encode_series`] wrote.
pub(crate) fn decode_series(bytes: &[u8]) -> Option<Vec<Labels>> {
    let mut cursor = Cursor::new(bytes);
    let count = cursor.length(bytes.len())?;
    let strings: Vec<Arc<str>> = (0..count).map(|_| cursor.text(LABEL_BYTES).map(Arc::from)).collect::<Option<_>>()?;
    let count = cursor.length(GROUP_SERIES)?;
    let mut series = Vec::with_capacity(count.min(bytes.len()));
    for _ in 0..count {
        let labels = cursor.length(LABELS)?;
        let mut text = || strings.get(usize::try_from(cursor.varint()?).ok()?).cloned();
        let pairs = (0..labels).map(|_| Some((text()?, text()?))).collect::<Option<Vec<_>>>()?;
        series.push(Labels::from_shared(pairs));
    }
    Some(series)
}

fn take(kind: u8, payload: &[u8], found: &mut Found, places: &mut HashMap<u32, usize>) -> Option<()> {
    let mut cursor = Cursor::new(payload);
    let group = u32::try_from(cursor.varint()?).ok()?;
    match kind {
        NEXT => found.next_group = found.next_group.max(group),
        GROUP => {
            places.insert(group, found.groups.len());
            found.groups.push((group, cursor.text(GROUP_NAME_BYTES)?.into(), Vec::new()));
            found.next_group = found.next_group.max(group.saturating_add(1));
        }
        SERIES => {
            let column = cursor.length(GROUP_SERIES)?;
            let series = decode_series(&body(cursor.rest(), FRAME_BYTES)?)?;
            let known = &mut found.groups.get_mut(*places.get(&group)?)?.2;
            // Columns between were in a frame that is damaged: they have no labels any more.
            known.resize(known.len().max(column), Labels::default());
            known.truncate(column);
            known.extend(series);
        }
        _ => return None,
    }
    Some(())
}
