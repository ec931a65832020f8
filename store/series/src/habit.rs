//! How a series goes on from row to row in the log: whether it changes, and by what token, as likely as what it did before makes it. Pure.
//!
//! A habit is what is remembered of a series, 2 bytes; a model has the probabilities for all habits, and learns within one record, so that
//! no record needs those of other groups. Where the probabilities begin is what they were in the end over node-like data
//! (`docs/decisions/metrics-store.md`).

use std::sync::LazyLock;

use crate::codec::{Cursor, put_varint, unzigzag, zigzag};
use crate::coder::{Chance, Decoder, Encoder};
use crate::decimal::SCALE_MAX;
use crate::token::{SCALED, XORED, put_xored};

/// What is remembered of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Habit {
    /// Mean number of bits of its last differences, in eighths.
    size: u8,
    /// The last 6 rows, a bit for each that changed, and the signs of the last 2 differences.
    past: u8,
}

impl Default for Habit {
    fn default() -> Self {
        Self { size: 16, past: 0b00_000110 }
    }
}

impl Habit {
    /// Which of the last rows changed.
    fn rows(self) -> usize {
        usize::from(self.past & 0x3f)
    }

    fn signs(self) -> usize {
        usize::from(self.past >> 6)
    }

    fn note_row(&mut self, changed: bool) {
        self.past = self.past & 0xc0 | (self.past << 1 | u8::from(changed)) & 0x3f;
    }

    fn note_difference(&mut self, is_negative: bool, bits: u32) {
        self.past = self.past & 0x3f | (self.past << 1) & 0x80 | u8::from(is_negative) << 6;
        let (now, then) = (i32::from(self.size), (bits * 8).min(255) as i32);
        self.size = (now + (then - now + if then > now { 3 } else { 0 }) / 4) as u8;
    }
}

/// Questions about a size: is it larger by 1, by 2, …
const UP: usize = 6;
/// … is it smaller by 1, by 2, … Sizes further away are told as they are.
const DOWN: usize = 10;
/// Sizes that probabilities are told apart by, quarters of bits.
const SIZES: usize = 128;
/// Probabilities of sizes that are told apart at the beginning: quarters, of means below 2 bits, below 3, and above.
const CLASSES: usize = 12;

/// Where probabilities of sizes begin, of 256.
const SIZE: [[u8; UP + DOWN]; CLASSES] = [
    [128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128],
    [7, 34, 7, 124, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128],
    [141, 53, 6, 94, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128],
    [176, 81, 14, 36, 126, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128],
    [49, 20, 21, 196, 219, 234, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128],
    [56, 13, 6, 106, 129, 126, 110, 128, 128, 128, 128, 128, 128, 128, 128, 128],
    [84, 27, 6, 28, 126, 129, 93, 128, 128, 128, 128, 128, 128, 128, 128, 128],
    [136, 23, 7, 24, 90, 126, 75, 128, 128, 128, 128, 128, 128, 128, 128, 128],
    [22, 43, 90, 150, 171, 157, 59, 38, 70, 106, 123, 126, 127, 127, 128, 128],
    [46, 36, 59, 138, 150, 156, 34, 51, 82, 116, 125, 127, 126, 128, 127, 128],
    [121, 35, 46, 121, 144, 126, 39, 59, 95, 122, 125, 127, 128, 127, 127, 128],
    [159, 41, 43, 95, 172, 173, 39, 64, 96, 121, 125, 127, 127, 127, 128, 128],
];
/// Where probabilities begin that a row changes, by the rows before it, of 256.
const CHANGED: [u8; 64] = [
    6, 83, 78, 122, 90, 143, 152, 180, 76, 151, 136, 166, 119, 167, 173, 197, 66, 134, 151, 159, 136, 150, 177, 179,
    123, 180, 162, 173, 165, 203, 172, 179, 69, 121, 148, 169, 138, 173, 175, 187, 132, 157, 167, 196, 173, 197, 189,
    217, 124, 160, 170, 178, 171, 184, 184, 208, 180, 189, 183, 196, 195, 201, 189, 249,
];
/// Where the probabilities of the two bits behind the first one of a difference begin: by quarters, by whether it is smaller, as large or larger than
/// usual; the first bit, then the second one after a 0 and after a 1.
const BEHIND: [[u8; 3]; 12] = [
    [188, 148, 185],
    [44, 146, 73],
    [69, 61, 92],
    [192, 122, 139],
    [118, 145, 90],
    [32, 44, 90],
    [145, 124, 120],
    [173, 174, 134],
    [35, 108, 107],
    [134, 121, 129],
    [182, 165, 121],
    [34, 79, 81],
];

/// Probabilities of everything, at the beginning of a record.
#[derive(Clone, Debug)]
struct Model {
    changed: [Chance; 64],
    /// Of series that were decimals, and of others.
    is_difference: [Chance; 2],
    is_xored: Chance,
    sign: [Chance; 4],
    size: [[Chance; UP + DOWN]; SIZES],
    behind: [[Chance; 3]; 12],
    leading: [Chance; 64],
    is_short: Chance,
}

/// The model that each record begins with.
static BEGIN: LazyLock<Model> = LazyLock::new(Model::new);

impl Model {
    fn new() -> Self {
        let size = std::array::from_fn(|size| SIZE[(size / 4).clamp(1, 3) * 4 - 4 + size % 4].map(Chance::of));
        Self {
            changed: CHANGED.map(Chance::of),
            is_difference: [Chance::of(252), Chance::of(4)],
            is_xored: Chance::of(200),
            sign: [8, 88, 142, 114].map(Chance::of),
            size,
            behind: BEHIND.map(|all| all.map(Chance::of)),
            leading: [Chance::of(128); 64],
            is_short: Chance::of(16),
        }
    }
}

/// Which of the probabilities of the bits behind the first one are meant.
fn behind(mean: usize, bits: u32) -> usize {
    let way = (bits as usize).cmp(&(mean / 4)) as i8 + 1;
    mean % 4 * 3 + way as usize
}

/// Writes how series go on.
#[derive(Debug)]
pub(crate) struct Writer {
    model: Box<Model>,
    encoder: Encoder,
}

impl Default for Writer {
    fn default() -> Self {
        Self { model: Box::new(BEGIN.clone()), encoder: Encoder::default() }
    }
}

impl Writer {
    /// The value is that of the row before.
    #[inline]
    pub(crate) fn same(&mut self, habit: &mut Habit) {
        self.encoder.put(&mut self.model.changed[habit.rows()], false);
        habit.note_row(false);
    }

    /// A token of a series that had a value; `decimal`: that value was one.
    pub(crate) fn token(&mut self, habit: &mut Habit, decimal: bool, token: &[u8]) -> Option<()> {
        let Self { model, encoder } = self;
        encoder.put(&mut model.changed[habit.rows()], true);
        habit.note_row(true);
        let mut cursor = Cursor::new(token);
        let kind = cursor.varint()?;
        encoder.put(&mut model.is_difference[usize::from(!decimal)], kind & 1 == 0);
        if kind & 1 == 0 {
            put_difference(model, encoder, habit, unzigzag(kind >> 1));
            return Some(());
        }
        encoder.put(&mut model.is_xored, kind == XORED);
        if kind == XORED {
            let head = cursor.byte()?;
            let mut word = [0; 8];
            word.get_mut(..usize::from(head & 15))?.copy_from_slice(cursor.rest());
            put_float(model, encoder, u64::from_le_bytes(word) << (u32::from(head >> 4) * 8));
            return Some(());
        }
        encoder.put_bits(u64::from(cursor.byte()?), 5);
        let m = cursor.varint()?;
        let bits = 64 - m.leading_zeros();
        encoder.put_bits(u64::from(bits), 7);
        encoder.put_bits(m, bits);
        Some(())
    }

    /// Appends all that was written, and begins anew.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        self.encoder.finish(out);
        *self.model = BEGIN.clone();
    }
}

/// How many steps down may be asked for: a difference has one bit at least.
fn most_down(mean: usize) -> usize {
    DOWN.min((mean / 4).saturating_sub(1))
}

/// Answers for each chance whether there are more steps, until there are not.
fn put_steps(encoder: &mut Encoder, chances: &mut [Chance], steps: usize) {
    for (asked, chance) in chances.iter_mut().enumerate().take(steps + 1) {
        encoder.put(chance, steps > asked);
    }
}

/// How many steps there are, at most one for each chance.
fn steps(decoder: &mut Decoder<'_>, chances: &mut [Chance]) -> usize {
    chances.iter_mut().map(|chance| decoder.get(chance)).take_while(|yes| *yes).count()
}

fn put_difference(model: &mut Model, encoder: &mut Encoder, habit: &mut Habit, d: i64) {
    encoder.put(&mut model.sign[habit.signs()], d < 0);
    let (size, mean) = (d.unsigned_abs(), usize::from(habit.size) / 2);
    let bits = 64 - size.leading_zeros();
    let chances = &mut model.size[mean];
    let (up, down) = ((bits as usize).saturating_sub(mean / 4), (mean / 4).saturating_sub(bits as usize));
    put_steps(encoder, &mut chances[..UP], up);
    if up == 0 {
        put_steps(encoder, &mut chances[UP..UP + most_down(mean)], down);
    }
    if up >= UP || down >= DOWN {
        encoder.put_bits(u64::from(bits), 7);
    }
    let chances = &mut model.behind[behind(mean, bits)];
    let bit = |at: u32| size >> at & 1;
    if bits >= 2 {
        encoder.put(&mut chances[0], bit(bits - 2) == 1);
    }
    if bits >= 3 {
        encoder.put(&mut chances[1 + bit(bits - 2) as usize], bit(bits - 3) == 1);
        encoder.put_bits(size, bits - 3);
    }
    habit.note_difference(d < 0, bits);
}

fn put_float(model: &mut Model, encoder: &mut Encoder, xor: u64) {
    let leading = xor.leading_zeros().min(63);
    let mut node = 1;
    for at in (0..6).rev() {
        let yes = leading >> at & 1;
        encoder.put(&mut model.leading[node], yes == 1);
        node = node * 2 + yes as usize;
    }
    let trailing = xor.trailing_zeros().min(63 - leading);
    encoder.put(&mut model.is_short, trailing >= 8);
    let trailing = if trailing >= 8 { trailing } else { 0 };
    if trailing > 0 {
        encoder.put_bits(u64::from(trailing), 6);
    }
    // The first bit is 1: there is a difference.
    encoder.put_bits(xor >> trailing, 63 - leading - trailing);
}

/// Reads what a [`Writer`] wrote.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    model: Box<Model>,
    decoder: Decoder<'a>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        Some(Self { model: Box::new(BEGIN.clone()), decoder: Decoder::new(bytes)? })
    }

    /// Whether a series changed; its token comes into `out` then.
    pub(crate) fn token(&mut self, habit: &mut Habit, decimal: bool, out: &mut Vec<u8>) -> bool {
        let Self { model, decoder } = self;
        out.clear();
        let changed = decoder.get(&mut model.changed[habit.rows()]);
        habit.note_row(changed);
        if !changed {
            return false;
        }
        if decoder.get(&mut model.is_difference[usize::from(!decimal)]) {
            put_varint(out, zigzag(difference(model, decoder, habit)) << 1);
        } else if decoder.get(&mut model.is_xored) {
            put_xored(out, float(model, decoder));
        } else {
            put_varint(out, SCALED);
            out.push((decoder.bits(5) as u8).min(SCALE_MAX));
            let bits = decoder.bits(7) as u32;
            put_varint(out, decoder.bits(bits.min(64)));
        }
        true
    }
}

fn difference(model: &mut Model, decoder: &mut Decoder<'_>, habit: &mut Habit) -> i64 {
    let is_negative = decoder.get(&mut model.sign[habit.signs()]);
    let mean = usize::from(habit.size) / 2;
    let chances = &mut model.size[mean];
    let up = steps(decoder, &mut chances[..UP]);
    let down = if up == 0 { steps(decoder, &mut chances[UP..UP + most_down(mean)]) } else { 0 };
    let bits = match (up, down) {
        (UP, _) | (_, DOWN) => decoder.bits(7) as u32,
        _ => (mean / 4 + up - down) as u32,
    };
    let bits = bits.min(64);
    let chances = &mut model.behind[behind(mean, bits)];
    let mut size = u64::from(bits > 0);
    if bits >= 2 {
        size = size << 1 | u64::from(decoder.get(&mut chances[0]));
    }
    if bits >= 3 {
        let second = decoder.get(&mut chances[1 + (size & 1) as usize]);
        size = (size << 1 | u64::from(second)) << (bits - 3) | decoder.bits(bits - 3);
    }
    habit.note_difference(is_negative, bits);
    if is_negative { (size as i64).wrapping_neg() } else { size as i64 }
}

fn float(model: &mut Model, decoder: &mut Decoder<'_>) -> u64 {
    let mut node = 1;
    for _ in 0..6 {
        node = node * 2 + usize::from(decoder.get(&mut model.leading[node]));
    }
    let leading = node as u32 - 64;
    let trailing = if decoder.get(&mut model.is_short) { decoder.bits(6) as u32 } else { 0 };
    let trailing = trailing.min(63 - leading);
    let bits = 63 - leading - trailing;
    (1 << bits | decoder.bits(bits)) << trailing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::undecimal;
    use crate::token::{RAW, Token, put_token, token};
    use proptest::prelude::*;

    /// Writes the values of series row by row, a record for so many rows, and reads them again; answers the bytes.
    fn check(rows: &[Vec<u64>]) -> usize {
        let width = rows[0].len();
        let (mut writer, mut bytes) = (Writer::default(), 0);
        let mut state = vec![(rows[0].clone(), vec![RAW; width], vec![Habit::default(); width]); 2];
        let (mut whole, mut out) = (Vec::new(), Vec::new());
        for row in &rows[1..] {
            out.clear();
            let (last, scale, habit) = &mut state[0];
            for (s, value) in row.iter().enumerate() {
                if last[s] == *value {
                    writer.same(&mut habit[s]);
                    continue;
                }
                whole.clear();
                let before = scale[s];
                scale[s] = put_token(&mut whole, last[s], before, *value);
                writer.token(&mut habit[s], before != RAW, &whole).unwrap();
                last[s] = *value;
            }
            writer.finish(&mut out);
            bytes += out.len();
            let mut reader = Reader::new(&out).unwrap();
            let (last, scale, habit) = &mut state[1];
            for s in 0..width {
                if reader.token(&mut habit[s], scale[s] != RAW, &mut whole) {
                    let mut cursor = Cursor::new(&whole);
                    let Some(Token::Value(bits, now)) = token(&mut cursor, last[s], scale[s]) else {
                        panic!("{whole:?}")
                    };
                    assert!(cursor.is_empty());
                    (last[s], scale[s]) = (bits, now);
                }
            }
            assert_eq!(last, row);
            assert_eq!(state[0], state[1]);
        }
        bytes
    }

    fn value() -> impl Strategy<Value = u64> {
        prop_oneof![
            4 => (-50i64..50).prop_map(|m| (m as f64).to_bits()),
            2 => (-5_000i64..5_000, 0u8..6).prop_map(|(m, s)| undecimal(m, s).to_bits()),
            2 => (any::<i64>(), 0u32..64).prop_map(|(m, cut)| ((m >> cut) as f64).to_bits()),
            1 => any::<u64>(),
            1 => (any::<u64>(), 0u32..64).prop_map(|(bits, cut)| bits << cut),
            1 => Just((-0.0f64).to_bits()),
        ]
    }

    proptest! {
        #[test]
        fn values_come_back_bit_for_bit(rows in prop::collection::vec(prop::collection::vec(value(), 6), 2..40), still in any::<bool>()) {
            let mut rows = rows;
            if still {
                rows.iter_mut().for_each(|row| row[..3].fill(7));
            }
            check(&rows);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), decimal in any::<bool>()) {
            let (mut habit, mut out) = (Habit::default(), Vec::new());
            if let Some(mut reader) = Reader::new(&bytes) {
                (0..200).for_each(|_| { reader.token(&mut habit, decimal, &mut out); });
            }
        }
    }

    #[test]
    fn counters_take_little_more_than_their_noise() {
        // 200 counters that rise by 900 to 1,023: 7 bits of noise each; half of them rest.
        let mut random = 7u64;
        let mut row = vec![0.0f64; 400];
        let rows: Vec<Vec<u64>> = (0..60)
            .map(|_| {
                row[..200].iter_mut().for_each(|v| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    *v += (900 + (random >> 33) % 124) as f64;
                });
                row.iter().map(|v| v.to_bits()).collect()
            })
            .collect();
        let bits = check(&rows) as f64 * 8.0 / 59.0 / 200.0;
        assert!((6.9..8.5).contains(&bits), "{bits}");
    }
}
