//! The positional scrape cache: what stood where in the last body of a target. Pure.
//!
//! Two forms. [`Whole`] keeps the last body and skips everything that is the same byte for byte, values included.
//! [`Hashed`] keeps 16 bytes per line: a keyed hash and the length of name and labels, and the series.
//! Both give exactly what reading line by line and looking each line up would give.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;
use hashbrown::HashMap;

use crate::plain::{Next, line_length, next, tail};

/// Gives a series its number within its target when its line is seen for the first time.
pub trait Names {
    /// The number of a name with labels, as they stand in the body.
    fn series(&mut self, key: &[u8]) -> u32;
}

impl<F: FnMut(&[u8]) -> u32> Names for F {
    fn series(&mut self, key: &[u8]) -> u32 {
        self(key)
    }
}

/// What a body says.
#[derive(Debug, Default)]
pub struct Scrape {
    /// Series and values; with [`Whole`] series whose lines are the same as before are left out.
    pub values: Vec<(u32, f64)>,
    /// Samples with a time of their own: series, value, time.
    pub stamped: Vec<(u32, f64, i64)>,
    /// Series that were in the body before and are no longer.
    pub vanished: Vec<u32>,
    /// Lines that were looked up by name instead of found in their place.
    pub looked_up: usize,
    /// Lines that could not be read.
    pub wrong: usize,
}

impl Scrape {
    fn clear(&mut self) {
        self.values.clear();
        self.stamped.clear();
        self.vanished.clear();
        self.looked_up = 0;
        self.wrong = 0;
    }

    #[inline]
    fn take(&mut self, series: u32, value: f64, time_ms: Option<i64>) {
        match time_ms {
            None => self.values.push((series, value)),
            Some(t) => self.stamped.push((series, value, t)),
        }
    }
}

fn hash(state: &RandomState, bytes: &[u8]) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

/// How many bytes are the same at the start of both.
#[inline]
fn common(a: &[u8], b: &[u8]) -> usize {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut at = 0;
    while at + 32 <= n {
        let (x, y): (&[u8; 32], &[u8; 32]) = (a[at..at + 32].try_into().unwrap(), b[at..at + 32].try_into().unwrap());
        if x != y {
            break;
        }
        at += 32;
    }
    while at + 8 <= n {
        let x = u64::from_le_bytes(a[at..at + 8].try_into().unwrap());
        let y = u64::from_le_bytes(b[at..at + 8].try_into().unwrap());
        if x != y {
            return at + (x ^ y).trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while at < n && a[at] == b[at] {
        at += 1;
    }
    at
}

/// Buffers that one scraper uses for all of its targets.
#[derive(Debug, Default)]
pub struct Scratch {
    places: Vec<Place>,
    lines: Vec<HashedLine>,
}

/// A sample's line and the comments before it.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Bytes from the end of the last line to the value.
    head: u32,
    /// Bytes from the value to the end of the line.
    tail: u32,
    /// Bytes of name and labels.
    key: u32,
    series: u32,
}

impl Place {
    const fn length(&self) -> usize {
        self.head as usize + self.tail as usize
    }
}

/// Keeps the last body.
#[derive(Debug, Default)]
pub struct Whole {
    body: Vec<u8>,
    places: Vec<Place>,
}

/// Where lines stood, once one is not in its place.
struct Moved {
    by_key: HashMap<u64, u32, foldhash::fast::RandomState>,
    starts: Vec<u32>,
    seen: Vec<bool>,
    hashes: RandomState,
}

impl Whole {
    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.body.capacity() + self.places.capacity() * size_of::<Place>()
    }

    fn moved(&self, kept: usize) -> Moved {
        let hashes = RandomState::default();
        let mut starts = Vec::with_capacity(self.places.len() + 1);
        let mut by_key = HashMap::with_capacity_and_hasher(self.places.len(), Default::default());
        let mut at = 0;
        for (i, place) in self.places.iter().enumerate() {
            starts.push(at as u32);
            by_key.entry(hash(&hashes, self.key(at, place))).or_insert(i as u32);
            at += place.length();
        }
        starts.push(at as u32);
        let mut seen = vec![false; self.places.len()];
        seen[..kept].fill(true);
        Moved { by_key, starts, seen, hashes }
    }

    fn key(&self, start: usize, place: &Place) -> &[u8] {
        let line = self.body[start..start + place.head as usize].trim_ascii_end();
        &line[line.len() - place.key as usize..]
    }

    /// Takes the next body.
    pub fn read(&mut self, body: &[u8], names: &mut impl Names, scratch: &mut Scratch, out: &mut Scrape) {
        out.clear();
        let next_places = &mut scratch.places;
        next_places.clear();
        let (mut old, mut new, mut at) = (0, 0, 0);
        let mut moved: Option<Moved> = None;
        let whole = self.complete();
        while new < body.len() {
            // Lines that are the same, then perhaps one of which only the value is new.
            let mut same = common(&self.body[old..], &body[new..]);
            let first = at;
            while let Some(place) = self.places.get(at).filter(|p| p.length() <= same && at < whole) {
                same -= place.length();
                old += place.length();
                new += place.length();
                at += 1;
            }
            next_places.extend_from_slice(&self.places[first..at]);
            if let Some(m) = &mut moved {
                m.seen[first..at].fill(true);
            }
            if let Some(place) = self.places.get(at).filter(|p| p.head as usize <= same)
                && let Some((value, time, n)) = tail(&body[new + place.head as usize..])
            {
                out.take(place.series, value, time);
                old += place.length();
                new += place.head as usize + n;
                next_places.push(Place { tail: n as u32, ..*place });
                if let Some(m) = &mut moved {
                    m.seen[at] = true;
                }
                at += 1;
                continue;
            }
            if new < body.len() && !(at == self.places.len() && self.body[old..] == body[new..]) {
                let m = moved.get_or_insert_with(|| self.moved(at));
                new += self.look_up(&body[new..], m, &mut at, names, next_places, out);
                old = m.starts[at] as usize;
            } else {
                break;
            }
        }
        let seen = |i: usize| moved.as_ref().map_or(i < at, |m| m.seen[i]);
        let gone = self.places.iter().enumerate().filter(|(i, _)| !seen(*i)).map(|(_, p)| p.series);
        if at < self.places.len() || moved.is_some() {
            out.vanished.extend(gone);
        }
        put(&mut self.places, next_places);
        put(&mut self.body, body);
    }

    /// Places that can be read over as they are: a last line without an end may go on in the next body.
    fn complete(&self) -> usize {
        let open = self.body.last().is_some_and(|b| *b != b'\n') && !self.places.is_empty();
        self.places.len() - usize::from(open)
    }

    /// Reads up to and with the next sample by its name; returns the bytes read and moves on to the place behind it.
    #[cold]
    fn look_up(
        &self,
        bytes: &[u8],
        moved: &mut Moved,
        at: &mut usize,
        names: &mut impl Names,
        places: &mut Vec<Place>,
        out: &mut Scrape,
    ) -> usize {
        let mut read = 0;
        loop {
            let line = match next(&bytes[read..]) {
                Next::Skip(0) => return bytes.len(),
                Next::Skip(n) => {
                    read += n;
                    continue;
                }
                Next::Wrong(n) => {
                    out.wrong += 1;
                    read += n;
                    continue;
                }
                Next::Sample(line) => line,
            };
            out.looked_up += 1;
            let found = moved
                .by_key
                .get(&hash(&moved.hashes, line.key))
                .copied()
                .map(|i| i as usize)
                .filter(|i| self.key(moved.starts[*i] as usize, &self.places[*i]) == line.key);
            let series = match found {
                Some(i) => {
                    moved.seen[i] = true;
                    *at = i + 1;
                    self.places[i].series
                }
                None => names.series(line.key),
            };
            out.take(series, line.value, line.time_ms);
            let head = read + line.value_at;
            read += line.length;
            let (tail, key) = ((read - head) as u32, line.key.len() as u32);
            places.push(Place { head: head as u32, tail, key, series });
            return read;
        }
    }
}

/// Replaces without spare capacity.
fn put<T: Copy>(kept: &mut Vec<T>, fresh: &[T]) {
    kept.clear();
    if kept.capacity() < fresh.len() || kept.capacity() > fresh.len() + fresh.len() / 8 {
        kept.shrink_to_fit();
        kept.reserve_exact(fresh.len() + fresh.len() / 32);
    }
    kept.extend_from_slice(fresh);
}

/// A line by its hash: a sample's up to its value, or a block of comments.
#[derive(Clone, Copy, Debug)]
struct HashedLine {
    hash: u64,
    length: u32,
    series: u32,
}

/// Not a sample.
const COMMENT: u32 = u32::MAX;

/// Lines by their hashes, and which were seen.
type MovedHashes = (HashMap<u64, u32, foldhash::fast::RandomState>, Vec<bool>);

/// Keeps 16 bytes per line.
#[derive(Debug, Default)]
pub struct Hashed {
    lines: Vec<HashedLine>,
}

impl Hashed {
    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.lines.capacity() * size_of::<HashedLine>()
    }

    fn moved(&self, kept: usize) -> MovedHashes {
        let mut seen = vec![false; self.lines.len()];
        seen[..kept].fill(true);
        let all = self.lines.iter().enumerate().filter(|(_, l)| l.series != COMMENT);
        (all.map(|(i, l)| (l.hash, i as u32)).collect(), seen)
    }

    /// Takes the next body; `hashes` is the scraper's and stays the same.
    pub fn read(
        &mut self,
        body: &[u8],
        hashes: &RandomState,
        names: &mut impl Names,
        scratch: &mut Scratch,
        out: &mut Scrape,
    ) {
        out.clear();
        let fresh = &mut scratch.lines;
        fresh.clear();
        let (mut new, mut at) = (0, 0);
        let mut moved: Option<MovedHashes> = None;
        while new < body.len() {
            if let Some(line) = self.lines.get(at)
                && let Some(head) = body.get(new..new + line.length as usize)
                && hash(hashes, head) == line.hash
            {
                let value_at = new + head.len();
                if line.series == COMMENT {
                    new = value_at;
                    fresh.push(*line);
                    at += 1;
                    continue;
                }
                if let Some((value, time, n)) = tail(&body[value_at..]) {
                    new = value_at + n;
                    out.take(line.series, value, time);
                    if let Some((_, seen)) = &mut moved {
                        seen[at] = true;
                    }
                    fresh.push(*line);
                    at += 1;
                    continue;
                }
            }
            if let n @ 1.. = comments(&body[new..]) {
                let hash = hash(hashes, &body[new..new + n]);
                if self.lines.get(at).is_some_and(|l| l.series == COMMENT) {
                    at += 1;
                }
                fresh.push(HashedLine { hash, length: n as u32, series: COMMENT });
                new += n;
                continue;
            }
            let Next::Sample(line) = next(&body[new..]) else {
                out.wrong += 1;
                new += line_length(&body[new..]);
                continue;
            };
            let (by_hash, seen) = moved.get_or_insert_with(|| self.moved(at));
            out.looked_up += 1;
            let hash = hash(hashes, &body[new..new + line.value_at]);
            let series = match by_hash.get(&hash).map(|i| *i as usize) {
                Some(i) => {
                    seen[i] = true;
                    at = i + 1;
                    self.lines[i].series
                }
                None => names.series(line.key),
            };
            out.take(series, line.value, line.time_ms);
            fresh.push(HashedLine { hash, length: line.value_at as u32, series });
            new += line.length;
        }
        let seen = |i: usize| moved.as_ref().map_or(i < at, |(_, seen)| seen[i]);
        let all = self.lines.iter().enumerate().filter(|(i, l)| l.series != COMMENT && !seen(*i));
        out.vanished.extend(all.map(|(_, l)| l.series));
        put(&mut self.lines, fresh);
    }
}

/// Bytes of the comments and empty lines at the start.
fn comments(bytes: &[u8]) -> usize {
    let mut at = 0;
    while at < bytes.len() {
        match next(&bytes[at..]) {
            Next::Skip(n) => at += n,
            _ => break,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::plain::each;

    /// Series numbers by name, as a target's registry gives them.
    #[derive(Default)]
    struct Register(BTreeMap<Vec<u8>, u32>);

    impl Names for Register {
        fn series(&mut self, key: &[u8]) -> u32 {
            let n = self.0.len() as u32;
            *self.0.entry(key.to_vec()).or_insert(n)
        }
    }

    /// Reads bodies with both caches and line by line; everything has to be the same, bit for bit.
    fn check(bodies: &[String]) {
        let (mut whole, mut hashed, hashes) = (Whole::default(), Hashed::default(), RandomState::default());
        let (mut a, mut b, mut plain) = (Register::default(), Register::default(), Register::default());
        let (mut scratch, mut out, mut state) = (Scratch::default(), Scrape::default(), BTreeMap::<u32, u64>::new());
        let mut before: Vec<u32> = Vec::new();
        for body in bodies {
            let mut want = BTreeMap::new();
            let mut stamped = BTreeMap::new();
            each(body.as_bytes(), |l| match l.time_ms {
                None => drop(want.insert(plain.series(l.key), l.value.to_bits())),
                Some(t) => drop(stamped.insert(plain.series(l.key), (l.value.to_bits(), t))),
            });
            whole.read(body.as_bytes(), &mut a, &mut scratch, &mut out);
            let mut have: BTreeMap<u32, u64> = state.clone();
            out.vanished.iter().for_each(|s| {
                have.remove(s);
            });
            have.extend(out.values.iter().map(|(s, v)| (*s, v.to_bits())));
            out.stamped.iter().for_each(|(s, ..)| {
                have.remove(s);
            });
            assert_eq!(have, want, "{body}");
            state = have;
            hashed.read(body.as_bytes(), &hashes, &mut b, &mut scratch, &mut out);
            let have: BTreeMap<u32, u64> = out.values.iter().map(|(s, v)| (*s, v.to_bits())).collect();
            assert_eq!(have, want, "{body}");
            let have: BTreeMap<_, _> = out.stamped.iter().map(|(s, v, t)| (*s, (v.to_bits(), *t))).collect();
            assert_eq!(have, stamped, "{body}");
            let mut gone: Vec<u32> =
                before.iter().copied().filter(|s| !want.contains_key(s) && !stamped.contains_key(s)).collect();
            gone.sort_unstable();
            out.vanished.sort_unstable();
            assert_eq!(out.vanished, gone, "{body}");
            before = want.keys().chain(stamped.keys()).copied().collect();
        }
        assert_eq!((&a.0, &b.0), (&plain.0, &plain.0));
    }

    #[test]
    fn lines_that_stay_move_come_and_go() {
        let bodies = [
            "# HELP a b\na 1\nb{c=\"d\"} 2\n# x\nc 3\n",
            "# HELP a b\na 1\nb{c=\"d\"} 2\n# x\nc 3\n",
            "# HELP a b\na 10\nb{c=\"d\"} -2\n# x\nc 3\n",
            "# HELP a changed\na 10\nb{c=\"d\"} -2\n# x\nc NaN\n",
            "b{c=\"d\"} -2\na 10\nnew 5\nc 3\n",
            "c 3\n",
            "",
            "bad\nc 3 x y\nc 3\na 1",
            "a 12\nab 1\na_b{x=\"1\"} 2\n",
            "a 12\na_b{x=\"10\"} 2\n",
        ];
        check(&bodies.map(str::to_owned));
    }

    #[test]
    fn same_layout_looks_nothing_up() {
        let (mut whole, mut scratch, mut out) = (Whole::default(), Scratch::default(), Scrape::default());
        let mut names = Register::default();
        whole.read(b"# c\na 1\nb 2\nc 3\n", &mut names, &mut scratch, &mut out);
        assert_eq!(out.looked_up, 3);
        whole.read(b"# c\na 1\nb 25.5\nc 3\n", &mut names, &mut scratch, &mut out);
        assert_eq!((out.looked_up, out.values.as_slice()), (0, &[(1, 25.5)][..]));
    }

    fn body() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            8 => (0..12u8, prop_oneof![Just(1.0), Just(12.0), Just(0.5), any::<f64>()]).prop_map(|(k, v)| format!("m{k}{{l=\"{}\"}} {v}", k / 2)),
            1 => (0..12u8).prop_map(|k| format!("m{k} 7 {k}")),
            1 => (0..3u8).prop_map(|k| format!("# HELP x{k}")),
            1 => Just("not a line".to_owned()),
        ];
        prop::collection::vec(line, 0..14).prop_map(|lines| {
            // A series stands in a body once.
            let (mut seen, mut out) = (std::collections::BTreeSet::new(), String::new());
            for line in lines {
                let key = line.split(' ').next().unwrap().to_owned();
                if line.starts_with(['#', 'n']) || seen.insert(key) {
                    out += &line;
                    out.push('\n');
                }
            }
            out
        })
    }

    proptest! {
        #[test]
        fn random_bodies(bodies in prop::collection::vec(body(), 1..8)) {
            check(&bodies);
        }

        #[test]
        fn bodies_whose_values_change(lines in 1..20usize, values in prop::collection::vec(prop::collection::vec((-3i64..3, 0..3u8), 20), 1..6)) {
            let bodies: Vec<String> = values.iter().map(|row| {
                row.iter().take(lines).enumerate().map(|(i, (v, k))| format!("# TYPE m{i} gauge\nm{i}{{a=\"{i}\"}} {}\n", match k { 0 => v.to_string(), 1 => format!("{v}.25"), _ => format!("{v}e-07") })).collect()
            }).collect();
            check(&bodies);
        }
    }
}
