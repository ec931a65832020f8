//! Lines of a text protocol, read with limits. I/O.

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// A line may be this long: SMTP allows 512 bytes, SSH 255, and servers say more.
const LONGEST_LINE_BYTES: u64 = 4_096;

/// The next line without its end, as text.
///
/// # Errors
/// In words: the connection ended or broke off, or the line is longer than [`LONGEST_LINE_BYTES`].
pub(crate) async fn read_line(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<String, String> {
    let mut line = Vec::new();
    let mut limited = reader.take(LONGEST_LINE_BYTES);
    match limited.read_until(b'\n', &mut line).await {
        Ok(0) => return Err("the server closed the connection".to_owned()),
        Ok(_) if line.ends_with(b"\n") => {}
        Ok(_) if limited.limit() == 0 => return Err(format!("a line is longer than {LONGEST_LINE_BYTES} bytes")),
        Ok(_) => return Err("the server closed the connection in the middle of a line".to_owned()),
        Err(e) => return Err(format!("the connection broke off: {e}")),
    }
    while line.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}
