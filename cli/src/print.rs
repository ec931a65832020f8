//! Printing to the standard output. I/O.
//!
//! `println!` panics when the reader has gone, and `farero check plans/* | head` is a usual thing to write.

use std::io::{ErrorKind, Write, stdout};

use anyhow::{Context, Result};

/// Exit code of a program that wrote to a closed pipe, as shells count it: 128 and the number of SIGPIPE.
const CLOSED_PIPE: i32 = 141;

/// Prints a text as it is. When nobody reads any more the program ends quietly.
///
/// # Errors
/// The standard output cannot be written to, such as a file on a full disk.
pub(crate) fn text(text: &str) -> Result<()> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(CLOSED_PIPE),
        done => done.context("the standard output cannot be written to"),
    }
}

/// Prints a line.
///
/// # Errors
/// As [`text`].
pub(crate) fn line(line: &str) -> Result<()> {
    text(&format!("{line}\n"))
}
