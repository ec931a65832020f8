//! What goes out: messages over channels. I/O; makes no choices.
//!
//! `act` is told what to send and says what became of it. Whether to try again, when, and over which channel instead is a
//! decision of the next turn (`decide::deliver`). It knows nothing of the state database, of rules or of pages.

pub mod alertmanager;
pub mod notify;
pub mod outgoing;

pub use outgoing::{http_client, socket_client};
pub use reqwest::RequestBuilder as HttpRequest;
