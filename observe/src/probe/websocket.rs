//! WebSocket handshake, and one message each way where wanted (RFC 6455). I/O.

use futures_util::{SinkExt, StreamExt};
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Uri};
use kernel::probe::Phase;
use kernel::secret::Secret;
use plan_model::check::WebsocketCheck;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

use super::dial::{Target, connect};
use super::tls::{Offer, TlsClient};
use super::{Attempt, PrepareError, Preparing, Probed};

/// Messages longer than this are refused.
const MESSAGE_LIMIT_BYTES: usize = 1 << 20;

/// The expected text has to come within this many messages.
const MOST_MESSAGES: usize = 1_000;

/// Much smaller than the library's 128 KiB, for thousands of checks at once.
const BUFFER_BYTES: usize = 4_096;

/// A WebSocket check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedWebsocket {
    target: Target,
    uri: Uri,
    headers: HeaderMap,
    send: Option<Secret>,
    expect: Option<String>,
    tls: Option<TlsClient>,
}

/// Makes the check ready.
pub(crate) fn prepare_websocket(
    check: &WebsocketCheck,
    with: &Preparing<'_>,
) -> Result<PreparedWebsocket, PrepareError> {
    let bad = |why: &str| PrepareError::unusable("websocket.url", why);
    let url = Url::parse(with.resolve(&check.url)?.expose()).map_err(|e| bad(&e.to_string()))?;
    let is_tls = match url.scheme() {
        "ws" => false,
        "wss" => true,
        _ => return Err(bad("it begins neither with ws:// nor with wss://")),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &check.headers {
        let bad = || PrepareError::unusable("websocket.headers", format!("`{name}` is no header that can be sent"));
        let value = HeaderValue::from_str(with.resolve(value)?.expose()).map_err(|_| bad())?;
        headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?, value);
    }
    let target = Target::of_url(&url).map_err(bad)?;
    Ok(PreparedWebsocket {
        uri: url.as_str().parse().map_err(|_| bad("it cannot be sent"))?,
        target,
        headers,
        send: check.send.as_ref().map(|text| with.resolve(text)).transpose()?,
        expect: check.expect.clone(),
        tls: is_tls.then(|| TlsClient::prepare(&check.tls, Offer::Http1, with)).transpose()?,
    })
}

/// Asks once.
pub(crate) async fn probe_websocket(check: &PreparedWebsocket, attempt: &Attempt) -> Probed {
    let stream = match connect(&check.target, attempt).await {
        Ok(stream) => stream,
        Err(error) => return Probed::down(error),
    };
    match &check.tls {
        None => converse(stream, check, attempt).await,
        Some(tls) => match tls.shake_hands(stream, &check.target.host, attempt).await {
            Ok((stream, _)) => converse(stream, check, attempt).await,
            Err(error) => Probed::down(error),
        },
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    check: &PreparedWebsocket,
    attempt: &Attempt,
) -> Probed {
    attempt.begin(Phase::Processing);
    attempt.doing("shaking hands for WebSocket");
    let mut request = match check.uri.clone().into_client_request() {
        Ok(request) => request,
        Err(e) => return Probed::blind(format!("the request cannot be made: {e}")),
    };
    request.headers_mut().extend(check.headers.clone());
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(Some(MESSAGE_LIMIT_BYTES))
        .max_frame_size(Some(MESSAGE_LIMIT_BYTES));
    let (mut socket, response) = match client_async_with_config(request, stream, Some(config)).await {
        Ok(shaken) => shaken,
        Err(error) => return refused(&error),
    };
    let probed = match exchange(&mut socket, check, attempt).await {
        Ok(None) => Probed::up(),
        Ok(Some(message)) => Probed::up().with_body(message.as_bytes()),
        Err((error, last)) => Probed::down(error).with_body(last.as_bytes()),
    };
    // The verdict stands; that the peer hears of the end is only a courtesy.
    socket.close(None).await.ok();
    probed.with_status(format!("HTTP/1.1 {}", response.status()))
}

fn refused(error: &Error) -> Probed {
    match error {
        Error::Http(response) => {
            let probed =
                Probed::down(format!("the server refuses the WebSocket: status {}", response.status().as_u16()));
            let body = response.body().as_deref().unwrap_or_default();
            probed.with_status(format!("{:?} {}", response.version(), response.status())).with_body(body)
        }
        other => Probed::down(format!("no WebSocket was opened: {other}")),
    }
}

/// The message that holds the expected text, if one is expected; else the error with the last message.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    check: &PreparedWebsocket,
    attempt: &Attempt,
) -> Result<Option<String>, (String, String)> {
    let mut last = String::new();
    if let Some(text) = &check.send {
        let sent = socket.send(Message::text(text.expose())).await;
        sent.map_err(|e| (format!("the message could not be sent: {e}"), String::new()))?;
    }
    let Some(expected) = &check.expect else { return Ok(None) };
    attempt.doing("waiting for the expected message");
    for _ in 0..MOST_MESSAGES {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => last = text.as_str().to_owned(),
            Some(Ok(Message::Binary(bytes))) => last = String::from_utf8_lossy(&bytes).into_owned(),
            Some(Ok(Message::Close(_))) | None => {
                return Err((format!("the server closed the WebSocket without `{expected}`"), last));
            }
            Some(Ok(_)) => continue,
            Some(Err(e)) => return Err((format!("the WebSocket broke off: {e}"), last)),
        }
        if last.contains(expected) {
            return Ok(Some(last));
        }
    }
    Err((format!("`{expected}` is not within the first {MOST_MESSAGES} messages"), last))
}
