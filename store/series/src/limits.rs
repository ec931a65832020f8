//! Every limit of the store, with its reason. Pure.

use std::time::Duration;

/// Series in one store: at about 200 bytes each, twenty times what 1,000 checks need.
pub const SERIES: usize = 200_000;
/// Series in one group: a large scrape has some thousands.
pub const GROUP_SERIES: usize = 50_000;
/// Bytes of one label's name or value: longer ones are texts, not labels.
pub const LABEL_BYTES: usize = 2_048;
/// Labels of one series.
pub const LABELS: usize = 64;
/// Rows that may wait for the next commit: some seconds of the largest installation.
pub const QUEUED_ROWS: usize = 100_000;
/// Bytes of sealed spans in memory at which appending is refused: reached only when blocks cannot be written for hours.
pub const HEAD_BYTES: usize = 256 << 20;
/// Samples that one `select` may return: 80 MB of values.
pub const SELECT_SAMPLES: u64 = 10_000_000;
/// Rows of a span before it is sealed: long enough to compress, short enough to keep moving series small in memory.
pub const SPAN_ROWS: usize = 128;
/// Commits (one `fdatasync` each) begin at most this often; rows that come in between share one.
pub const COMMIT_INTERVAL: Duration = Duration::from_millis(50);
/// Bytes after which a new WAL segment begins, so that replay never holds more than this of a file in memory.
pub const SEGMENT_BYTES: u64 = 4 << 20;
/// Bytes that one frame may have; more is damage.
pub const FRAME_BYTES: usize = 64 << 20;
/// The head becomes a block when it is this old, milliseconds: bounds memory and the replay after a crash.
pub const CUT_EVERY_MS: i64 = 30 * 60_000;
/// … or when its sealed spans take this many bytes.
pub const CUT_BYTES: usize = 8 << 20;
/// Blocks are joined into windows of these lengths once the window is over, milliseconds: 2 h, 1 day.
pub const WINDOWS_MS: [i64; 2] = [2 * 3_600_000, 24 * 3_600_000];
/// Files kept in `damaged/` for a person to look at, newest first.
pub const DAMAGED_FILES: usize = 16;
/// Years around 1970 that a timestamp may lie in: what lies outside is a unit mistaken (seconds, microseconds).
pub const TIME_YEARS: i64 = 1_000;
/// The same in milliseconds.
pub const TIME_MS: i64 = TIME_YEARS * 366 * 86_400_000;
