//! JSON as Prometheus writes it, straight into bytes: a result may have millions of points. Pure.

mod histogram;
mod number;
mod result;

use kernel::Labels;

pub(crate) use number::{Exponent, push_number};
pub(crate) use result::{Answered, Stats, size, write_answer, write_exemplars};

/// Adds a text in quotes.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut done = 0;
    for (i, byte) in bytes.iter().enumerate() {
        let escape = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..0x20 => b'u',
            _ => continue,
        };
        out.extend_from_slice(&bytes[done..i]);
        out.extend_from_slice(&[b'\\', escape]);
        if escape == b'u' {
            out.extend_from_slice(&[b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        done = i + 1;
    }
    out.extend_from_slice(&bytes[done..]);
    out.push(b'"');
}

/// Adds a label set as an object.
pub(crate) fn push_labels(out: &mut Vec<u8>, labels: &Labels) {
    out.push(b'{');
    for (i, (name, value)) in labels.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push_text(out, name);
        out.push(b':');
        push_text(out, value);
    }
    out.push(b'}');
}

/// Adds a time given in milliseconds as seconds, with three decimals where there are any.
pub(crate) fn push_seconds(out: &mut Vec<u8>, ms: i64) {
    if ms < 0 {
        out.push(b'-');
    }
    let (ms, mut digits) = (ms.unsigned_abs(), itoa::Buffer::new());
    out.extend_from_slice(digits.format(ms / 1_000).as_bytes());
    let rest = (ms % 1_000) as u16;
    if rest > 0 {
        let digit = |n: u16| b'0' + (n % 10) as u8;
        out.extend_from_slice(&[b'.', digit(rest / 100), digit(rest / 10), digit(rest)]);
    }
}

/// Adds a list of texts under a name, with a comma before; nothing when there is none.
pub(crate) fn push_texts(out: &mut Vec<u8>, name: &str, texts: &[String]) {
    if texts.is_empty() {
        return;
    }
    out.push(b',');
    push_text(out, name);
    out.extend_from_slice(b":[");
    for (i, text) in texts.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push_text(out, text);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_are_seconds_with_three_decimals_or_none() {
        let check = |ms: i64, expect: &str| assert_eq!(written(|out| push_seconds(out, ms)), expect);
        check(0, "0");
        check(1_435_781_451_780, "1435781451.780");
        check(5, "0.005");
        check(-1_500, "-1.500");
        check(-86_400_000, "-86400");
        check(i64::MIN, "-9223372036854775.808");
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(text in any::<String>()) {
            let json = written(|out| push_text(out, &text));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

        #[test]
        fn any_labels_are_read_back(pairs in proptest::collection::btree_map(any::<String>(), any::<String>(), 0..5)) {
            let labels = Labels::new(pairs);
            let json = written(|out| push_labels(out, &labels));
            prop_assert_eq!(serde_json::from_str::<Labels>(&json).unwrap(), labels);
        }
    }
}
