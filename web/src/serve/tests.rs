//! Doors that answer: plain, over TLS by HTTP/1.1 and HTTP/2, over a Unix socket; and their end in order.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::routing::get;
use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use super::*;

fn router() -> Router {
    let who = async |peer: Option<Extension<PeerAddress>>, local: Option<Extension<LocalPeer>>, headers: HeaderMap| {
        let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("?").to_owned();
        match (peer, local) {
            (Some(Extension(peer)), None) => format!("{} {host}", peer.0.ip()),
            (None, Some(Extension(local))) => format!("{local} {}", local.trusted),
            _ => "?".to_owned(),
        }
    };
    Router::new().route("/", get(who))
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

#[tokio::test]
async fn sec_12_every_door_answers_knows_the_caller_and_ends_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["x".to_owned()]).unwrap();
    let certificates = Arc::new(Certificates::new().unwrap());
    let now = kernel::Timestamp::from_secs(1_790_000_000);
    certificates.put(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes(), now).unwrap();
    let (plain, tls) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let socket = UnixListener::bind(folder.path().join("s")).unwrap();
    let (plain_at, tls_at) = (plain.local_addr().unwrap(), tls.local_addr().unwrap());
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let stop = async {
        let _ = ended.await;
    };
    let doors = vec![Door::Plain(plain), Door::Tls(tls, certificates), Door::Socket(socket)];
    let serving = tokio::spawn(serve(doors, router(), stop, Duration::from_millis(200)));

    let answer = ask(TcpStream::connect(plain_at).await.unwrap()).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1 x"), "{answer}");
    assert!(!answer.to_lowercase().contains("\r\nserver:"), "nobody needs to know: {answer}");

    let answer = ask(UnixStream::connect(folder.path().join("s")).await.unwrap()).await;
    let own = nix::unistd::Uid::effective();
    assert!(answer.contains(&format!("local command line (uid {own}, ")) && answer.ends_with("true"), "{answer}");

    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config.clone()));
    let stream = connector.connect("x".try_into().unwrap(), TcpStream::connect(tls_at).await.unwrap()).await.unwrap();
    let answer = ask(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let mut h2 = config;
    h2.alpn_protocols = vec![b"h2".to_vec()];
    let connector = tokio_rustls::TlsConnector::from(Arc::new(h2));
    let stream = connector.connect("x".try_into().unwrap(), TcpStream::connect(tls_at).await.unwrap()).await.unwrap();
    let (mut sender, conn) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(conn);
    let request = http::Request::get("https://x/").body(axum::body::Body::empty()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
    assert_eq!(String::from_utf8_lossy(&body), "127.0.0.1 x", "the host of HTTP/2 stands where others look for it");

    let _slow = TcpStream::connect(plain_at).await.unwrap();
    let _slower = TcpStream::connect(tls_at).await.unwrap();
    end.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap();
}
