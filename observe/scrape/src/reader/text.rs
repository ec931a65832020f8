//! The text forms, line by line beside the last body. Pure.

use std::hash::{BuildHasher, Hasher};

use super::lines::{DROPPED, DUPLICATE, Found, Line, Place, Places, comment_column, created_column, hash};
use super::{Input, Pending, ReadError, Scratch, TargetReader};
use crate::exposition::{
    Comment, ExemplarText, Fault, Format, MetricKind, NameText, Tail, comment, labels_key, series, skip_blank, tail,
    tail_rest,
};

/// The state of reading one body.
struct Walk<'w, 'b> {
    input: &'w Input<'b>,
    places: Places<'w>,
    starts: &'w mut super::lines::Starts,
    scratch: &'w mut Scratch,
    at: usize,
    kind: MetricKind,
    ended: bool,
}

impl TargetReader {
    pub(super) fn read_text(&mut self, input: &Input<'_>, scratch: &mut Scratch) -> Result<(), ReadError> {
        let places = Places::new(&self.lines);
        let starts = &mut self.starts;
        let mut walk = Walk { input, places, starts, scratch, at: 0, kind: MetricKind::Unknown, ended: false };
        while walk.at < input.body.len() {
            if !walk.in_place() {
                walk.elsewhere()?;
            }
        }
        if input.format == Format::OpenMetrics && !walk.ended {
            return Err(Fault::new(0, "data does not end with # EOF").place(input.body, input.body.len()).into());
        }
        walk.places.vanished(&mut walk.scratch.vanished);
        Ok(())
    }
}

impl Walk<'_, '_> {
    /// Takes the line that is expected here; `false` when another one is.
    #[inline]
    fn in_place(&mut self) -> bool {
        let body = self.input.body;
        let Some(line) = self.places.expected() else { return false };
        let end = self.at + line.length as usize;
        let Some(head) = body.get(self.at..end) else { return false };
        if hash(self.input.hashes, head) != line.hash {
            return false;
        }
        if line.is_series()
            && self.places.in_order()
            && let Some((value, length)) = tail(&body[end..], self.input.format)
        {
            // Nothing but a value: what almost every line is.
            self.places.keep();
            self.at = end + length;
            self.scratch.counts.scraped += 1;
            self.scratch.counts.kept += 1;
            self.scratch.cells.push((line.column, value));
            self.scratch.fresh.push(line);
            return true;
        }
        if let Place::Comment(kind, ended) = line.place() {
            if !head.ends_with(b"\n") && end < body.len() || (ended && end < body.len()) {
                return false;
            }
            self.places.keep();
            self.kind = kind.unwrap_or(self.kind);
            self.ended = ended;
            self.at = end;
            self.scratch.fresh.push(line);
            return true;
        }
        let Ok(tail) = tail_rest(&body[end..], self.input.format) else { return false };
        let again = self.places.keep();
        self.at = end + tail.length;
        self.take(line, again, tail);
        true
    }

    fn fault(&self, fault: Fault) -> ReadError {
        fault.place(self.input.body, self.at).into()
    }

    /// Reads comments, or a line by its hash or its labels.
    #[cold]
    fn elsewhere(&mut self) -> Result<(), ReadError> {
        if self.comments()? {
            return Ok(());
        }
        let rest = &self.input.body[self.at..];
        let head = series(rest, self.input.format, self.kind).map_err(|f| self.fault(f))?;
        let tail = tail_rest(&rest[head.value_at..], self.input.format)
            .map_err(|f| self.fault(Fault { at: f.at + head.value_at, ..f }))?;
        let hash = hash(self.input.hashes, &rest[..head.value_at]);
        self.at += head.value_at + tail.length;
        self.scratch.counts.moved += 1;
        match self.places.find(hash) {
            Found::Elsewhere(line) => self.take(line, false, tail),
            Found::Again(line) => self.take(line, true, tail),
            Found::New => {
                let length = head.value_at as u32;
                let column = self.learn(&head, tail.timestamp_ms.is_some())?;
                self.take(Line { hash, length, column }, false, tail);
            }
        }
        Ok(())
    }

    /// What a new line is.
    fn learn(&mut self, head: &NameText<'_>, has_time: bool) -> Result<u32, ReadError> {
        let folds = self.input.settings.parse.fold_created && self.input.format == Format::OpenMetrics;
        let family = (folds && self.kind.has_start()).then(|| {
            let mut hasher = self.input.hashes.build_hasher();
            let (name, labels) = labels_key(&head.labels, self.kind);
            for text in std::iter::once(name).chain(labels.iter().flat_map(|(n, v)| [*n, *v])) {
                hasher.write(text.as_bytes());
                hasher.write_u8(0xff);
            }
            hasher.finish()
        });
        if let Some(family) = family
            && head.labels[0].1.ends_with("_created")
        {
            return Ok(created_column(self.starts.slot(family)));
        }
        // A line whose labels are refused was scraped all the same, and is the last one.
        let labels = self.input.rules.labels(&head.labels).inspect_err(|_| self.scratch.counts.scraped += 1)?;
        let Some(labels) = labels else { return Ok(DROPPED) };
        let own_time = has_time && self.input.settings.honor_timestamps;
        let number = self.scratch.pending.len();
        self.scratch.pending.push(Pending { labels, own_time, family });
        Ok(super::lines::pending_column(number))
    }

    fn take(&mut self, line: Line, again: bool, tail: Tail) {
        let honors = self.input.settings.honor_timestamps;
        if let Place::Created(slot) = line.place() {
            let start = if tail.value.is_finite() { (tail.value * 1000.0) as i64 } else { 0 };
            self.starts.set(slot, start);
            self.scratch.fresh.push(line);
            return;
        }
        let time = tail.timestamp_ms.filter(|_| honors);
        self.scratch.sample(line, again, tail.value, time, self.input.latest_ms, tail.exemplar);
    }

    /// Reads a block of comments and empty lines; `false` when there is none.
    fn comments(&mut self) -> Result<bool, ReadError> {
        let (start, format) = (self.at, self.input.format);
        let mut kind = None;
        loop {
            let rest = &self.input.body[self.at..];
            let blank = skip_blank(rest, format);
            if blank > 0 {
                self.at += blank;
                continue;
            }
            if rest.is_empty() || self.ended {
                break;
            }
            let Some((said, length)) = comment(rest, format).map_err(|f| self.fault(f))? else { break };
            self.at += length;
            match said {
                Comment::Type(_, of) => kind = Some(of),
                Comment::End => self.ended = true,
                Comment::Help(..) | Comment::Unit(..) | Comment::Plain(_) => {}
            }
        }
        if self.at == start {
            return Ok(false);
        }
        if self.ended && self.at < self.input.body.len() {
            return Err(self.fault(Fault::new(0, "unexpected data after # EOF")));
        }
        self.kind = kind.unwrap_or(self.kind);
        let block = &self.input.body[start..self.at];
        let (hash, length) = (hash(self.input.hashes, block), block.len() as u32);
        self.places.skip_comment();
        self.scratch.comments_moved = true;
        self.scratch.fresh.push(Line { hash, length, column: comment_column(kind, self.ended) });
        Ok(true)
    }
}

impl Scratch {
    /// Takes a sample of a line that is known, or pending.
    pub(super) fn sample(
        &mut self,
        line: Line,
        again: bool,
        value: f64,
        time: Option<i64>,
        latest_ms: i64,
        exemplar: Option<ExemplarText>,
    ) {
        self.counts.scraped += 1;
        let number = self.fresh.len() as u32;
        let place = line.place();
        if place == Place::Dropped {
            self.fresh.push(line);
            return;
        }
        self.counts.kept += 1;
        if place == Place::Duplicate || (again && time.is_none()) {
            self.counts.duplicates += 1;
            self.fresh.push(Line { column: DUPLICATE, ..line });
            return;
        }
        self.fresh.push(line);
        match time {
            Some(t) if t > latest_ms => self.counts.out_of_bounds += 1,
            Some(t) => self.stamped.push((number, value, t)),
            None => self.cells.push((line.column, value)),
        }
        self.exemplars.extend(exemplar.map(|e| (number, e)));
    }
}
