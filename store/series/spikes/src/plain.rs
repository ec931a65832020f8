//! The text form line by line, and a label set's canonical bytes: the yardstick for the positional cache. Pure.

use memchr::memchr;

use crate::number;

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line<'a> {
    /// Name and labels as they stand in the body, without the blank behind.
    pub key: &'a [u8],
    /// Bytes from the start of the line to the value.
    pub value_at: usize,
    /// The value.
    pub value: f64,
    /// Its own time, if it has one.
    pub time_ms: Option<i64>,
    /// Bytes of the line with its end.
    pub length: usize,
}

/// What begins at the start of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next<'a> {
    /// A comment or an empty line of so many bytes.
    Skip(usize),
    /// A sample.
    Sample(Line<'a>),
    /// A line of so many bytes that cannot be read.
    Wrong(usize),
}

/// Bytes of the first line, its end included.
#[inline]
pub fn line_length(bytes: &[u8]) -> usize {
    memchr(b'\n', bytes).map_or(bytes.len(), |n| n + 1)
}

/// Where name and labels end.
#[inline]
pub fn key_end(line: &[u8]) -> Option<usize> {
    let mut at = line.iter().position(|b| matches!(b, b'{' | b' ' | b'\t' | b'\n'))?;
    if line[at] != b'{' {
        return Some(at);
    }
    at += 1;
    loop {
        match *line.get(at)? {
            b'}' => return Some(at + 1),
            b'\n' => return None,
            b'"' => {
                at += 1;
                loop {
                    at += line[at..].iter().position(|b| matches!(b, b'"' | b'\\' | b'\n'))?;
                    match line[at] {
                        b'"' => break,
                        b'\\' => at += 2,
                        _ => return None,
                    }
                    if at > line.len() {
                        return None;
                    }
                }
                at += 1;
            }
            _ => at += 1,
        }
    }
}

fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().position(|b| !matches!(b, b' ' | b'\t')).unwrap_or(bytes.len())
}

/// Value, own time and length up to the end of the line, from the first byte of the value.
#[inline]
pub fn tail(bytes: &[u8]) -> Option<(f64, Option<i64>, usize)> {
    let (value, length) = number::read(bytes)?;
    match bytes.get(length) {
        Some(b'\n') => Some((value, None, length + 1)),
        None => Some((value, None, length)),
        Some(_) => rest(bytes, value, length),
    }
}

#[cold]
fn rest(bytes: &[u8], value: f64, at: usize) -> Option<(f64, Option<i64>, usize)> {
    let end = at + line_length(&bytes[at..]);
    let text = bytes[at..end].trim_ascii();
    let text = memchr(b'#', text).map_or(text, |n| text[..n].trim_ascii());
    if text.is_empty() {
        return Some((value, None, end));
    }
    let time = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some((value, Some(time), end))
}

/// Reads one line.
#[inline]
pub fn next(bytes: &[u8]) -> Next<'_> {
    let start = blanks(bytes);
    match bytes.get(start) {
        None => return Next::Skip(bytes.len()),
        Some(b'#' | b'\n' | b'\r') => return Next::Skip(line_length(bytes)),
        Some(_) => {}
    }
    let read = || {
        let end = start + key_end(&bytes[start..])?;
        let value_at = end + blanks(&bytes[end..]);
        if end == start || value_at == bytes.len() {
            return None;
        }
        let (value, time_ms, n) = tail(&bytes[value_at..])?;
        Some(Line { key: &bytes[start..end], value_at, value, time_ms, length: value_at + n })
    };
    read().map_or_else(|| Next::Wrong(line_length(bytes)), Next::Sample)
}

/// Every sample of a body.
pub fn each<'a>(body: &'a [u8], mut take: impl FnMut(Line<'a>)) {
    let mut at = 0;
    while at < body.len() {
        at += match next(&body[at..]) {
            Next::Skip(n) | Next::Wrong(n) => n,
            Next::Sample(line) => {
                take(line);
                line.length
            }
        };
    }
}

/// Labels of a key, sorted, as `name 0xff value 0xff`...; `None` where the key is malformed.
pub fn canonical<'a>(
    key: &'a [u8],
    pairs: &mut Vec<(&'a [u8], std::borrow::Cow<'a, [u8]>)>,
    out: &mut Vec<u8>,
) -> Option<()> {
    pairs.clear();
    out.clear();
    let open = memchr(b'{', key).unwrap_or(key.len());
    pairs.push((b"__name__", key[..open].into()));
    let mut at = open + 1;
    while at < key.len() && key[at] != b'}' {
        at += blanks(&key[at..]);
        let equals = at + memchr(b'=', &key[at..])?;
        let name = key[at..equals].trim_ascii();
        at = equals + 1;
        at += blanks(&key[at..]);
        if key.get(at) != Some(&b'"') {
            return None;
        }
        at += 1;
        let start = at;
        let mut escaped = false;
        loop {
            at += memchr::memchr2(b'"', b'\\', &key[at..])?;
            if key[at] == b'"' {
                break;
            }
            escaped = true;
            at += 2;
        }
        let raw = &key[start..at];
        let value = if escaped { unescape(raw).into() } else { raw.into() };
        pairs.push((name, value));
        at += 1;
        at += blanks(&key[at..]);
        if key.get(at) == Some(&b',') {
            at += 1;
            at += blanks(&key[at..]);
        }
    }
    pairs.sort_unstable_by(|a, b| a.0.cmp(b.0));
    for (name, value) in pairs.iter() {
        out.extend_from_slice(name);
        out.push(0xff);
        out.extend_from_slice(value);
        out.push(0xff);
    }
    Some(())
}

fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(b) = bytes.next() {
        out.push(match b {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(c) => *c,
                None => b'\\',
            },
            b => *b,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_kinds() {
        let body = b"# HELP a b\n\na 1\n b{c=\"}\\\" \\\\\",d=\"x\"}\t 2.5 17\nc 3 # {t=\"x\"} 1\nbad\nd 4";
        let mut found = Vec::new();
        each(body, |l| found.push((String::from_utf8_lossy(l.key).into_owned(), l.value, l.time_ms)));
        let want =
            [("a", 1.0, None), ("b{c=\"}\\\" \\\\\",d=\"x\"}", 2.5, Some(17)), ("c", 3.0, None), ("d", 4.0, None)];
        assert_eq!(found, want.map(|(k, v, t)| (k.to_owned(), v, t)));
    }

    #[test]
    fn labels_are_sorted_and_unescaped() {
        let (mut pairs, mut out) = (Vec::new(), Vec::new());
        canonical(b"m{z=\"1\", a=\"x\\n\\\"y\",}", &mut pairs, &mut out).unwrap();
        assert_eq!(out, b"__name__\xffm\xffa\xffx\n\"y\xffz\xff1\xff");
    }
}
