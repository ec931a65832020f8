//! The file that says which groups there are: one frame per group, only ever appended to or written anew. I/O.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use kernel::Labels;
use kernel::series::SeriesError;

use crate::codec::{Cursor, put_varint};
use crate::files::{storage, sync_folder};
use crate::frame::{put_frame, scan};
use crate::registry::{Registry, decode_group, encode_group};

const NAME: &str = "groups";
const MAGIC: &[u8; 8] = b"FAROGRP1";
/// Kind of the frames that hold a group.
const GROUP: u8 = 1;
/// Kind of the frame that says which number comes next.
const NEXT: u8 = 2;

/// The open file.
pub(crate) struct Catalog {
    path: PathBuf,
    file: File,
    length: u64,
    dirty: bool,
}

impl Catalog {
    /// Opens the file and reads all groups of it; also returns what is damaged.
    pub(crate) fn open(folder: &Path, registry: &mut Registry) -> Result<(Self, Vec<String>), SeriesError> {
        let path = folder.join(NAME);
        let failed = |e: std::io::Error| storage("read the list of groups", &path, &e);
        let new = !path.exists();
        let mut file = File::options().create(true).append(true).read(true).open(&path).map_err(failed)?;
        if new {
            file.write_all(MAGIC).and_then(|()| file.sync_all()).map_err(failed)?;
            sync_folder(folder)?;
        }
        let bytes = std::fs::read(&path).map_err(failed)?;
        let found = scan(&bytes, MAGIC.len());
        let mut damage = Vec::new();
        if !bytes.starts_with(MAGIC) {
            damage.push(format!("{}: the first bytes are not those of a list of groups", path.display()));
        }
        for (at, length) in &found.damaged {
            damage.push(format!("{}: {length} bytes at {at} are damaged", path.display()));
        }
        for (kind, payload) in found.frames {
            let understood = match kind {
                GROUP => decode_group(payload).map(|(group, series)| registry.insert(group, &series)),
                NEXT => next(payload).map(|n| registry.reserve_group(n)),
                _ => None,
            };
            if understood.is_none() {
                damage.push(format!("{}: a frame of kind {kind} is not understood", path.display()));
            }
        }
        let length = found.end as u64;
        file.set_len(length).map_err(failed)?;
        Ok((Self { path, file, length, dirty: false }, damage))
    }

    /// Adds a group; it is durable after the next [`Catalog::sync`].
    pub(crate) fn add(&mut self, group: u32, series: &[Labels]) -> Result<(), SeriesError> {
        let mut bytes = Vec::new();
        put_frame(&mut bytes, GROUP, &encode_group(group, series));
        self.dirty = true;
        if let Err(error) = self.file.write_all(&bytes) {
            // Half a frame at the end is damage that the next opening steps over.
            let _ = self.file.set_len(self.length);
            return Err(storage("write the list of groups", &self.path, &error));
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Makes what was added durable.
    pub(crate) fn sync(&mut self) -> Result<(), SeriesError> {
        if self.dirty {
            self.file.sync_data().map_err(|e| storage("sync the list of groups", &self.path, &e))?;
            self.dirty = false;
        }
        Ok(())
    }

    /// Writes the file anew with only what the registry holds.
    pub(crate) fn rewrite(&mut self, folder: &Path, registry: &Registry) -> Result<(), SeriesError> {
        let temporary = folder.join("groups.tmp");
        let failed = |e: std::io::Error| storage("write the list of groups", &temporary, &e);
        let mut bytes = MAGIC.to_vec();
        let mut payload = Vec::new();
        put_varint(&mut payload, u64::from(registry.last_group()));
        put_frame(&mut bytes, NEXT, &payload);
        let mut groups: Vec<u32> = registry.groups().collect();
        groups.sort_unstable();
        for group in groups {
            put_frame(&mut bytes, GROUP, &encode_group(group, &registry.group_labels(group)));
        }
        let mut file = File::create(&temporary).map_err(failed)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&temporary, &self.path).map_err(failed)?;
        sync_folder(folder)?;
        self.file = File::options().append(true).open(&self.path).map_err(failed)?;
        self.length = bytes.len() as u64;
        self.dirty = false;
        Ok(())
    }
}

fn next(payload: &[u8]) -> Option<u32> {
    u32::try_from(Cursor::new(payload).varint()?).ok()
}
