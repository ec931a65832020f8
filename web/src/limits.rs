//! The limits of the web room, named, each with its reason. Pure.

use std::time::Duration;

/// Results kept in memory per check: the heartbeat bar of its page. 16 bytes each, so 10,000 checks take 10 MB.
pub const RECENT_RESULTS: usize = 60;

/// Results in the small bar of an overview row: more cannot be told apart at that width.
pub const ROW_RESULTS: usize = 30;

/// Components of one system whose rows carry a small bar; beyond this the page would grow past what a phone likes.
pub const COMPONENTS_WITH_BAR: usize = 150;

/// Changes that may wait for one live page; a slower one is told to fetch the page anew.
pub const CHANGES_BUFFERED: usize = 4_096;

/// Connections at once: each page opens up to six, and each costs a file descriptor and some 20 KiB.
pub const CONNECTIONS: usize = 1_024;

/// A live connection ends after this long and is opened again by the page, so that a session that has ended, or a role
/// that was changed, ends what it saw.
pub const LIVE_PAGE_LIFE: Duration = Duration::from_secs(10 * 60);

/// Live pages at once, all people together: each holds one connection and one task.
pub const LIVE_PAGES: usize = 128;

/// Fragments are sent at most this often to one page: faster changes cannot be read.
pub const FRAGMENT_PAUSE: Duration = Duration::from_millis(500);

/// Rows sent in one go; with more changed at once the page is told to fetch itself anew.
pub const FRAGMENTS_AT_ONCE: usize = 250;

/// A page from whose reader something is hidden is told at this beat of what may have changed.
pub const LIVE_BEAT: Duration = Duration::from_secs(10);

/// A line is sent over a quiet live connection this often, so that proxies keep it open.
pub const LIVE_KEEPALIVE: Duration = Duration::from_secs(15);

/// Bytes of a form or an API request: no form here is larger than a note.
pub const BODY_BYTES: usize = 64 * 1024;

/// Bytes of a message with samples, packed: as much as the receiver takes.
pub const SAMPLES_BODY_BYTES: usize = web_prometheus::limits::MESSAGE_BYTES;

/// Bytes of a heartbeat call's body that are read; the rest is not.
pub const PING_BODY_BYTES: usize = 10 * 1024;

/// Time from a request's head to its answer's head; live pages are answered at once and then stay open.
pub const REQUEST_TIME: Duration = Duration::from_secs(30);

/// Connections over the Unix socket at once: the command line opens one at a time.
pub const LOCAL_CONNECTIONS: usize = 32;

/// Requests at once over one HTTP/2 connection; browsers ask for some tens.
pub const STREAMS: u32 = 100;

/// Bytes of a request's head over HTTP/2: cookies and a long query; HTTP/1.1's limit is hyper's own, about 400 KiB.
pub const HEAD_BYTES: u32 = 64 * 1024;

/// A client that sends a body may pause this long between two pieces of it.
pub const BODY_PAUSE: Duration = Duration::from_secs(10);

/// Time a client has to send a request's head; slower ones hold a connection for nothing.
pub const HEAD_TIME: Duration = Duration::from_secs(10);

/// Passwords hashed at once: each takes 19 MiB and a core for about 30 ms.
pub const HASHES_AT_ONCE: usize = 2;

/// Password hashes that may wait for their turn; more are told to come back.
pub const HASHES_WAITING: usize = 32;

/// A browser is known as one that an account is used in for this long after its last log-in there.
pub const DEVICE_MARK_LIFE: Duration = Duration::from_secs(90 * 86_400);

/// A session ends this long after its last use, where the installation says nothing else.
pub const SESSION_IDLE: Duration = Duration::from_secs(12 * 3_600);

/// A session ends this long after its log-in, used or not, where the installation says nothing else.
pub const SESSION_LIFE: Duration = Duration::from_secs(7 * 86_400);

/// Minutes that an installation may set for idle sessions: under five people are thrown out while they read; over a day it
/// is none.
pub const IDLE_MINUTES: (u32, u32) = (5, 24 * 60);

/// Hours that an installation may set for whole sessions: a shift to a month (NIST SP 800-63B-4 asks for a proof at least so often).
pub const LIFE_HOURS: (u32, u32) = (1, 30 * 24);

/// A session of the break-glass account ends after this long: an emergency, not an account to work with.
pub const SEALED_LIFE: Duration = Duration::from_secs(4 * 3_600);

/// Grave changes ask for a proof that is not older than this.
pub const PROOF_LIFE: Duration = Duration::from_secs(10 * 60);

/// What was begun (a code, a passkey, a visit at a provider) must be ended within this long: people look for their phone.
pub const CEREMONY_LIFE: Duration = Duration::from_secs(10 * 60);

/// Codes that may be tried before the password is asked for again.
pub const CODE_TRIES: u32 = 5;

/// Passkeys of one account: a few devices and a spare.
pub const PASSKEYS: usize = 20;

/// Characters of a passkey's name and of the reason for breaking the seal.
pub const NAME_LONGEST: usize = 80;

/// A one-time link is good for this long, where nobody says otherwise.
pub const SETUP_LINK_LIFE: Duration = Duration::from_secs(24 * 3_600);

/// Hours for which an invitation may be good: the shortest for someone beside you, the longest for someone on leave.
pub const INVITATION_HOURS: (u64, u64) = (1, 7 * 24);

/// Shortest password: NIST SP 800-63B-4 asks for 15 where it is the only factor; 12 is what small teams bear.
pub const PASSWORD_SHORTEST: usize = 12;

/// Longest password in bytes, so that hashing cannot be made slow from outside.
pub const PASSWORD_LONGEST: usize = 512;

/// Longest note of an acknowledgement, in characters.
pub const NOTE_LONGEST: usize = 2_000;

/// Rows of one page of a list: alerts, deliveries, failures.
pub const LIST_ROWS: usize = 50;

/// Points of a chart: about one per pixel of a wide screen.
pub const CHART_POINTS: usize = 600;

/// Time a panel's queries may take, their waiting included; then the panel says so and the others are there.
pub const PANEL_TIME: Duration = Duration::from_secs(20);

/// Time that a dashboard's page waits for its panels; what is not there then comes by itself.
pub const PAGE_WAITS: Duration = Duration::from_millis(1_500);

/// Samples that one query of a panel may read: a fifth of what Explore may, as there are many panels.
pub const PANEL_SAMPLES: u64 = 10_000_000;

/// Series that one query of a panel may read.
pub const PANEL_SERIES: u64 = 100_000;

/// Points that one query of a panel may give: 16 MB each in memory, and far more than is drawn.
pub const PANEL_POINTS: u64 = 1_000_000;

/// Samples that a chart may read before they are thinned: a year at one a minute.
pub const CHART_SAMPLES: usize = 600_000;

/// PromQL requests evaluated at once; they run on the CPU pool.
pub const QUERIES_AT_ONCE: usize = 4;

/// An account that was not active for this long is marked: somebody should ask whether it is still needed.
pub const IDLE_ACCOUNT: Duration = Duration::from_secs(90 * 86_400);
