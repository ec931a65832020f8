//! Websocket checks. I/O.

use plan_model::check::WebsocketCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Websocket check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedWebsocket;

/// Makes the check ready.
pub(crate) fn prepare_websocket(_: &WebsocketCheck, _: &Preparing<'_>) -> Result<PreparedWebsocket, PrepareError> {
    Err(PrepareError::unusable("websocket", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_websocket(_: &PreparedWebsocket, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
