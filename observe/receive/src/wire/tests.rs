//! Tests of the wire format: the examples of its specification, round trips, arbitrary bytes.

use proptest::prelude::*;

use super::*;

fn all(bytes: &[u8]) -> Result<Vec<Field<'_>>, WireError> {
    let mut reader = Reader::new(bytes);
    let mut out = Vec::new();
    while let Some(field) = reader.next()? {
        out.push(field);
    }
    Ok(out)
}

#[test]
fn examples_of_the_specification() {
    let read = all(&[0x08, 0x96, 0x01]).unwrap();
    assert_eq!(read, [Field { number: 1, value: Value::Varint(150) }]);
    let read = all(&[0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]).unwrap();
    assert_eq!((read[0].number, read[0].str()), (2, Ok("testing")));
    let nested = all(&[0x1a, 0x03, 0x08, 0x96, 0x01]).unwrap()[0].message().unwrap().next().unwrap().unwrap();
    assert_eq!(nested.uint(), Ok(150));
    let packed = all(&[0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05]).unwrap();
    let mut numbers = Vec::new();
    unsigned(&packed[0], &mut numbers).unwrap();
    assert_eq!(numbers, [3, 270, 86_942]);
    assert_eq!(all(&[0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]).unwrap()[0].int(), Ok(-2));
    for (v, code) in [(0, 0), (-1, 1), (1, 2), (-2, 3), (0x7fff_ffff, 0xffff_fffe), (-0x8000_0000, 0xffff_ffff)] {
        assert_eq!((zigzag(code), to_zigzag(v)), (v, code));
    }
}

#[test]
fn what_is_no_message_is_said() {
    for (bytes, error) in [
        (&[0x08][..], WireError::Truncated),
        (&[0x08, 0x80], WireError::Truncated),
        (&[0x09, 1, 2, 3], WireError::Truncated),
        (&[0x12, 5, 1], WireError::Truncated),
        (&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], WireError::Truncated),
        (&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], WireError::Overflow),
        (&[0x00, 1], WireError::FieldNumber(0)),
        (&[0x0e], WireError::WireType(6)),
        (&[0x0c], WireError::Group),
        (&[0x0b, 0x14], WireError::Group),
        (&[0x0b, 0x08, 1], WireError::Truncated),
        (&[0x0b; 40], WireError::Group),
    ] {
        assert_eq!(all(bytes), Err(error), "{bytes:?}");
    }
    assert_eq!(all(&[0x0b, 0x08, 1, 0x13, 0x14, 0x0c, 0x08, 7]).unwrap()[1].uint(), Ok(7));
    let read = all(&[0x0a, 1, 0xff]).unwrap();
    assert_eq!(read[0].str(), Err(WireError::Utf8(1)));
    assert_eq!(read[0].uint(), Err(WireError::WrongType { field: 1, found: 2, wanted: "a varint" }));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(fields) = all(&bytes) {
            for field in fields {
                let mut floats = Vec::new();
                let _ = (doubles(&field, &mut floats), signed(&field, &mut Vec::new()), field.str());
            }
        }
    }

    #[test]
    fn what_is_written_is_read(
        u in any::<u64>(), s in any::<i64>(), bits in any::<u64>(), f in any::<u32>(), text in ".{0,300}",
        many in proptest::collection::vec(any::<i64>(), 1..50), floats in proptest::collection::vec(any::<f64>(), 1..20),
    ) {
        let mut w = Writer::default();
        w.uint(1, u);
        w.sint(2, s);
        w.int(3, s);
        w.double(4, f64::from_bits(bits));
        w.fixed32(5, f);
        w.message(1 << 20, |w| {
            w.string(1, &text);
            w.sints(2, many.iter().copied());
            w.doubles(3, &floats);
        });
        let bytes = w.finish();
        let read = all(&bytes).unwrap();
        prop_assert_eq!(
            (read[0].uint(), read[1].sint(), read[2].int(), read[3].fixed64(), read[4].fixed32()),
            (Ok(u), Ok(s), Ok(s), Ok(bits), Ok(f))
        );
        let nested = all(read[5].bytes().unwrap()).unwrap();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        signed(&nested[1], &mut a).unwrap();
        doubles(&nested[2], &mut b).unwrap();
        prop_assert_eq!((nested[0].str().unwrap(), a), (text.as_str(), many));
        prop_assert_eq!(b.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), floats.iter().map(|v| v.to_bits()).collect::<Vec<_>>());
    }
}
