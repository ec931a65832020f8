//! `io.prometheus.write.v2.Request`, remote-write 2.0: strings are symbols that are sent once for a request. Pure.

use kernel::labels::METRIC_NAME;

use super::histogram::{Timed, read_histogram};
use super::v1::{MetricMetadata, MetricType};
use crate::limits::Reason;
use crate::wire::{Field, Reader, Value, WireError};
use crate::writer::{Intake, RawLabel, Refusal, Request, Target};

/// A request's body, unpacked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct V2<'a>(pub(crate) &'a [u8]);

impl Request for V2<'_> {
    fn walk(&self, intake: &mut Intake<'_>) -> Result<(), WireError> {
        let mut symbols = Symbols::default();
        let mut fields = Reader::new(self.0);
        while let Some(field) = fields.next()? {
            if field.number == 4 {
                let text = field.bytes()?;
                symbols.hashes.push(intake.keys.part(text));
                symbols.texts.push(text);
            }
        }
        let mut series = Series::default();
        let mut fields = Reader::new(self.0);
        while let Some(field) = fields.next()? {
            if field.number == 5 {
                series.take(field.bytes()?, &symbols, intake)?;
            }
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Symbols<'a> {
    texts: Vec<&'a [u8]>,
    hashes: Vec<u64>,
}

impl<'a> Symbols<'a> {
    fn labels(&self, refs: &[u32]) -> Result<Vec<RawLabel<'a>>, String> {
        if !refs.len().is_multiple_of(2) {
            return Err(format!("invalid labelRefs length {}", refs.len()));
        }
        let text = |at: u32| self.texts.get(at as usize).copied();
        let mut labels = Vec::with_capacity(refs.len() / 2);
        for [name, value] in refs.as_chunks::<2>().0 {
            let outside = || {
                let size = self.texts.len();
                format!("labelRefs {name} (name) = {value} (value) outside of symbols table (size {size})")
            };
            labels.push((text(*name).ok_or_else(outside)?, text(*value).ok_or_else(outside)?));
        }
        Ok(labels)
    }
}

/// What one time series message holds beside its samples; used again for the next one.
#[derive(Debug, Default)]
struct Series {
    refs: Vec<u32>,
    /// Time, value and start of each number.
    floats: Vec<(i64, f64, i64)>,
    histograms: u64,
    exemplars: u64,
    /// Of all samples of the series; releases of Prometheus before 3.8 send it so.
    created_ms: i64,
    kind: u64,
    help: u32,
    unit: u32,
}

impl Series {
    fn take(&mut self, bytes: &[u8], symbols: &Symbols<'_>, intake: &mut Intake<'_>) -> Result<(), WireError> {
        self.read(bytes)?;
        let largest = self.refs.iter().max().map_or(0, |at| *at as usize);
        let valid = self.refs.len().is_multiple_of(2) && (largest < symbols.texts.len() || self.refs.is_empty());
        let target = if !valid {
            let text = symbols.labels(&self.refs).err().unwrap_or_default();
            self.refuse(
                intake,
                Reason::InvalidLabels,
                format!("parsing labels for series {}: {text}", self.refs_text()),
            )
        } else if let Some(text) = self.metadata_trouble(symbols) {
            self.refuse(intake, Reason::Invalid, format!("parsing metadata for series {}: {text}", self.refs_text()))
        } else {
            self.target(symbols, intake)
        };
        for (t_ms, value, start_ms) in &self.floats {
            let start_ms = if *start_ms == 0 { self.created_ms } else { *start_ms };
            intake.float(target, *t_ms, *value, start_ms);
        }
        if self.histograms + self.exemplars == 0 {
            return Ok(());
        }
        others(bytes, (target, self.created_ms), symbols, intake)
    }

    fn target(&self, symbols: &Symbols<'_>, intake: &mut Intake<'_>) -> Target {
        let invalid = |text| Refusal { reason: Reason::InvalidLabels, text };
        let raw = || symbols.labels(&self.refs).map_err(invalid);
        if self.floats.is_empty() && self.histograms == 0 {
            let labels = raw().map(|raw| crate::writer::raw_text(&raw)).unwrap_or_default();
            let text = format!("TimeSeries must contain at least one sample or histogram for series {labels}");
            return self.refuse(intake, Reason::Invalid, text);
        }
        let hashes = self.refs.iter().map(|at| symbols.hashes.get(*at as usize).copied().unwrap_or_default());
        let key = intake.keys.of_parts(hashes);
        let before = intake.found.fresh.len();
        let target = intake.series(key, raw);
        if intake.found.fresh.len() > before {
            self.note_metadata(symbols, intake);
        }
        target
    }

    fn refuse(&self, intake: &mut Intake<'_>, reason: Reason, text: String) -> Target {
        intake.found.trouble.note(Refusal { reason, text });
        Target::Refused(reason)
    }

    fn refs_text(&self) -> String {
        let each: Vec<String> = self.refs.iter().map(u32::to_string).collect();
        format!("[{}]", each.join(" "))
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let (mut refs, mut floats) = (std::mem::take(&mut self.refs), std::mem::take(&mut self.floats));
        refs.clear();
        floats.clear();
        *self = Self { refs, floats, ..Self::default() };
        let mut fields = Reader::new(bytes);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => read_refs(&field, &mut self.refs)?,
                2 => self.floats.push(sample(field.bytes()?)?),
                3 => self.histograms += 1,
                4 => self.exemplars += 1,
                5 => self.read_metadata(&field)?,
                6 => self.created_ms = field.int()?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_metadata(&mut self, field: &Field<'_>) -> Result<(), WireError> {
        let mut fields = field.message()?;
        while let Some(field) = fields.next()? {
            match field.number {
                1 => self.kind = field.uint()?,
                3 => self.help = field.uint32()?,
                4 => self.unit = field.uint32()?,
                _ => {}
            }
        }
        Ok(())
    }

    fn metadata_trouble(&self, symbols: &Symbols<'_>) -> Option<String> {
        let size = symbols.texts.len();
        let outside = |at: u32| at as usize >= size;
        [("unit_ref", self.unit), ("help_ref", self.help)]
            .into_iter()
            .find(|(_, at)| outside(*at))
            .map(|(name, at)| format!("metadata {name} {at} outside of symbols table (size {size})"))
    }

    fn note_metadata(&self, symbols: &Symbols<'_>, intake: &mut Intake<'_>) {
        if self.kind == 0 && self.help == 0 && self.unit == 0 {
            return;
        }
        let text = |at: u32| {
            let bytes = symbols.texts.get(at as usize).copied().unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        let labels = symbols.labels(&self.refs).unwrap_or_default();
        let name = labels.iter().find(|(name, _)| *name == METRIC_NAME.as_bytes()).map(|(_, value)| *value);
        let family = String::from_utf8_lossy(name.unwrap_or_default()).into_owned();
        let kind = MetricType::numbered(self.kind);
        intake.found.metadata.push(MetricMetadata { family, kind, help: text(self.help), unit: text(self.unit) });
    }
}

#[inline]
fn read_refs(field: &Field<'_>, refs: &mut Vec<u32>) -> Result<(), WireError> {
    let Value::Bytes(packed) = field.value else {
        refs.push(field.uint32()?);
        return Ok(());
    };
    let mut reader = Reader::new(packed);
    while !reader.is_empty() {
        refs.push(reader.varint()? as u32);
    }
    Ok(())
}

/// Histograms and exemplars.
fn others(
    bytes: &[u8],
    (target, created_ms): (Target, i64),
    symbols: &Symbols<'_>,
    intake: &mut Intake<'_>,
) -> Result<(), WireError> {
    let mut fields = Reader::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            3 => {
                let Timed { t_ms, start_ms, histogram } = read_histogram(field.bytes()?)?;
                let start_ms = if start_ms == 0 { created_ms } else { start_ms };
                intake.histogram(target, t_ms, histogram, start_ms);
            }
            4 => exemplar(&field, target, symbols, intake)?,
            _ => {}
        }
    }
    Ok(())
}

/// Time, value and start.
#[inline]
fn sample(bytes: &[u8]) -> Result<(i64, f64, i64), WireError> {
    // As every known sender writes it: the value's tag and 8 bytes, the time's tag and a varint, perhaps the start.
    if let Some(([0x09, value @ .., 0x10], time)) = bytes.split_first_chunk::<10>() {
        let mut rest = Reader::new(time);
        let t_ms = rest.varint()? as i64;
        if rest.is_empty() {
            return Ok((t_ms, f64::from_le_bytes(*value), 0));
        }
    }
    any_sample(bytes)
}

/// Fields in any order, or left out because they are 0.
fn any_sample(bytes: &[u8]) -> Result<(i64, f64, i64), WireError> {
    let (mut t_ms, mut value, mut start_ms) = (0, 0.0, 0);
    let mut fields = Reader::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => value = field.double()?,
            2 => t_ms = field.int()?,
            3 => start_ms = field.int()?,
            _ => {}
        }
    }
    Ok((t_ms, value, start_ms))
}

fn exemplar(
    field: &Field<'_>,
    target: Target,
    symbols: &Symbols<'_>,
    intake: &mut Intake<'_>,
) -> Result<(), WireError> {
    let (mut refs, mut value, mut t_ms) = (Vec::new(), 0.0, 0);
    let mut fields = field.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => read_refs(&field, &mut refs)?,
            2 => value = field.double()?,
            3 => t_ms = field.int()?,
            _ => {}
        }
    }
    let taken = match symbols.labels(&refs) {
        Ok(labels) => intake.exemplar(target, &labels, value, t_ms).ok_or_else(|| "its labels are no text".to_owned()),
        Err(text) => Err(text),
    };
    if let Err(text) = taken {
        let text = format!("parsing exemplar for series: {text}");
        intake.found.trouble.note(Refusal { reason: Reason::Invalid, text });
    }
    Ok(())
}
