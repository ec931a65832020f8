//! Every limit of the store, with its reason. Pure.

use std::time::Duration;

/// Series in memory: at about 250 bytes each, some hundred times what 1,000 checks need.
pub const SERIES: usize = 2_000_000;
/// Series in one group: a large scrape has some thousands.
pub const GROUP_SERIES: usize = 1_000_000;
/// Groups in memory.
pub const GROUPS: usize = 1_000_000;
/// Bytes of a group's name.
pub const GROUP_NAME_BYTES: usize = 4_096;
/// Bytes of one label's name or value: longer ones are texts, not labels.
pub const LABEL_BYTES: usize = 16_384;
/// Labels of one series.
pub const LABELS: usize = 256;
/// Samples that may wait for the next commit: some seconds of the largest installation.
pub const QUEUED_SAMPLES: usize = 4_000_000;
/// Bytes of sealed spans in memory at which appending is refused: reached only when they cannot be written for long.
pub const HEAD_BYTES: usize = 256 << 20;
/// Bytes of sealed spans in memory that are written at once, rather than with the next upkeep.
pub const SAVE_BYTES: usize = 4 << 20;
/// Bytes of sealed spans in memory that upkeep writes: fewer wait for others, and small stores make blocks of them without having
/// written them before. The log has them meanwhile, so that a start has no more than this, and what is open, to read again.
pub const UPKEEP_SAVE_BYTES: usize = 1 << 20;
/// Samples that one `select` may return: 400 MB of values.
pub const SELECT_SAMPLES: u64 = 50_000_000;
/// Rows of a span before it is sealed: long enough to compress, short enough to keep moving series small in memory.
pub const SPAN_ROWS: usize = 120;
/// Late samples and histograms of a group before its span is sealed.
pub const BESIDE_SAMPLES: usize = 20_000;
/// Buckets or spans of one histogram: Prometheus's own limit for bucket spans is far below.
pub const HISTOGRAM_BUCKETS: usize = 65_536;
/// Bytes of one histogram.
pub const HISTOGRAM_BYTES: usize = 4 << 20;
/// Exemplars in memory: Prometheus's default.
pub const EXEMPLARS: usize = 100_000;
/// Commits (one `fdatasync` each) of few samples wait so long for others to share them, since the one before began.
pub const COMMIT_INTERVAL: Duration = Duration::from_millis(50);
/// … and not before this much after one another, when all that shared the last one are there again: less would be sectors that are written
/// half empty.
pub const COMMIT_GAP: Duration = Duration::from_millis(5);
/// Samples that are worth a commit of their own: some four sectors of the log, so that the last one, which is written half empty, weighs
/// little. With fewer a commit waits for others.
pub const COMMIT_SAMPLES: usize = 1_500;
/// Memory for the records of a commit that is kept for the next one: more than this is given back.
pub const KEPT_RECORDS: usize = 1 << 20;
/// Changes of a commit for which memory is kept in the same way, 32 bytes each: a busy sender's requests have some thousands.
pub const KEPT_CHANGES: usize = 16_384;
/// Bytes after which a new segment of the log begins, so that replay never holds more than this of a file in memory.
pub const SEGMENT_BYTES: u64 = 4 << 20;
/// Bytes that one frame may have; more is damage.
pub const FRAME_BYTES: usize = 256 << 20;
/// A group without a sample for this long, in the time of the samples, is sealed: its open rows need not be in memory.
pub const IDLE_MS: i64 = 10 * 60_000;
/// A group without a sample for this long is forgotten when the next block is cut, and known by the blocks only.
pub const FORGET_MS: i64 = kernel::series::KEPT_MS;
/// A block holds this much time at least, milliseconds: so that a short retention deletes more often than once a day.
pub const LEAST_BLOCK_MS: i64 = 2 * 3_600_000;
/// Blocks are at most one in so many of the time that is kept, as Prometheus's are, and of the bytes.
pub const BLOCKS_KEPT: u32 = 10;
/// Spans become a block when they take this many bytes, whatever time they hold.
pub const CUT_BYTES: u64 = 256 << 20;
/// Bytes after which a new file of spans begins: a start reads one after the other.
pub const SPAN_FILE_BYTES: u64 = 16 << 20;
/// Spans become a block when one in so many groups is idle for [`FORGET_MS`]: only then can they leave memory.
pub const IDLE_SHARE: usize = 4;
/// Blocks are joined into windows of these lengths once the window is over, milliseconds: 1 day.
pub const WINDOWS_MS: [i64; 1] = [24 * 3_600_000];
/// Length of a stretch in fine roll-ups, milliseconds: as far as an instant query looks back, and 20 scrapes of Prometheus's usual 15 s.
pub const FINE_MS: i64 = 5 * 60_000;
/// Length of a stretch in rough roll-ups, milliseconds: a year has 8,760 of them, about as many as a query may have steps.
pub const ROUGH_MS: i64 = 3_600_000;
/// Fine roll-ups become rough ones when they are this old, milliseconds: a quarter is compared with the one before in fine ones.
pub const FINE_KEPT_MS: i64 = 100 * 24 * 3_600_000;
/// Fine roll-ups become one rough roll-up per window of this length, milliseconds: 25 months are some 25 files.
pub const ROUGH_WINDOW_MS: i64 = 30 * 24 * 3_600_000;
/// How long roll-ups are kept where nobody says it, days: 25 months, so that a year can be compared with the one before.
pub const ROLLUP_DAYS: u64 = 762;
/// Where the bytes of blocks are limited, roll-ups take at most this share of them, one in so many: raw samples are worth more.
pub const ROLLUPS_SHARE: u64 = 4;
/// After the disk refused a roll-up of a block that is too old, the next try follows after this time, milliseconds: each costs as much as
/// writing the whole roll-up.
pub const ROLL_AGAIN_MS: i64 = 10 * 60_000;
/// Rows of a page in a block: where the models of a page pay for themselves, and a query still reads little in vain.
pub const PAGE_ROWS: usize = 960;
/// Files kept in `damaged/` for a person to look at, newest first.
pub const DAMAGED_FILES: usize = 16;
/// Years around 1970 that a timestamp may lie in: what lies outside is a unit mistaken (seconds, microseconds).
pub const TIME_YEARS: i64 = 1_000;
/// The same in milliseconds.
pub const TIME_MS: i64 = TIME_YEARS * 366 * 86_400_000;
/// Bytes of memory for the series of one answer, before they are put together: about 600,000 series that are being written to.
pub const ANSWER_BYTES: u64 = 512 << 20;
/// The same of all answers under way.
pub const ANSWERS_BYTES: u64 = 1 << 30;
/// Bytes of blocks' indexes that are kept in memory for the next question.
pub const CACHE_BYTES: usize = 64 << 20;
