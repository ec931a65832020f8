//! Against real sockets: framing, packing, keep-alive, redirects, credentials, TLS, proxies.

use std::io::Write;
use std::sync::Arc;

use kernel::secret::Secret;
use tokio::net::TcpListener;

use super::*;
use crate::config::{Authorization, BasicAuth, Header, OAuth2, Proxy, SecretValue, TlsConfig};
use crate::serve::{Seen, ok, serve, talk, text};

fn inline(text: &str) -> SecretValue {
    SecretValue::Inline(Secret::new(text.to_owned()))
}

async fn ask(config: &HttpConfig, url: &str) -> Result<(Head, String), ClientError> {
    let request = Request::get(url, &[("Accept", "*/*")])?;
    let client = HttpClient::new(config);
    let (head, body) = client.get(&request, Duration::from_secs(5)).await?;
    Ok((head, String::from_utf8(body).unwrap()))
}

#[tokio::test]
async fn bodies_in_every_frame() {
    let (address, _) = serve(|head| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"packed").unwrap();
        let path = head.split(' ').nth(1).unwrap();
        Some(match path {
            "/length" => text("a body"),
            "/chunks" => {
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na b\r\n3;x=y\r\nody\r\n0\r\nX: y\r\n\r\n"
                    .to_vec()
            }
            "/gzip" => ok("Content-Encoding: gzip\r\n", &gzip.finish().unwrap()),
            "/zstd" => ok("Content-Encoding: zstd\r\n", &zstd::encode_all(&b"packed"[..], 1).unwrap()),
            "/continue" => [b"HTTP/1.1 100 Continue\r\n\r\n", &text("later")[..]].concat(),
            "/missing" => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
            "/odd" => ok("Content-Encoding: br\r\n", b"x"),
            "/short" => b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx".to_vec(),
            _ => b"nonsense\r\n\r\n".to_vec(),
        })
    })
    .await;
    let get = async |path: &str| ask(&HttpConfig::default(), &format!("http://{address}{path}")).await.map(|a| a.1);
    assert_eq!(get("/length").await.unwrap(), "a body");
    assert_eq!(get("/chunks").await.unwrap(), "a body");
    assert_eq!(get("/gzip").await.unwrap(), "packed");
    assert_eq!(get("/zstd").await.unwrap(), "packed");
    assert_eq!(get("/continue").await.unwrap(), "later");
    assert_eq!(get("/missing").await.unwrap_err(), ClientError::Status("404 Not Found".to_owned()));
    assert!(matches!(get("/odd").await, Err(ClientError::Malformed(_))));
    assert!(matches!(get("/nonsense").await, Err(ClientError::Malformed(_))));
    let refused = ask(&HttpConfig::default(), "http://127.0.0.1:1/").await.unwrap_err().to_string();
    assert_eq!(refused, "dial tcp 127.0.0.1:1: connect: connection refused");
}

#[tokio::test]
async fn a_body_until_the_connection_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nall of it").await.unwrap();
    });
    assert_eq!(ask(&HttpConfig::default(), &url).await.unwrap().1, "all of it");
}

#[tokio::test]
async fn a_connection_is_kept_and_a_lost_one_replaced() {
    let (address, seen) = serve(|head| (!head.contains("/bye")).then(|| text("x"))).await;
    let client = HttpClient::new(&HttpConfig::default());
    let request = Request::get(&format!("http://{address}/"), &[]).unwrap();
    let (mut kept, mut buffer) = (None, Vec::new());
    for _ in 0..3 {
        client.fetch(&request, &mut kept, &mut buffer, 100).await.unwrap();
    }
    assert_eq!(*seen.connections.lock(), 1);
    // The server closes its side while nobody asks.
    drop(kept.take());
    let bye = Request::get(&format!("http://{address}/bye"), &[]).unwrap();
    assert!(client.fetch(&bye, &mut kept, &mut buffer, 100).await.is_err());
    let head = client.fetch(&request, &mut kept, &mut buffer, 100).await.unwrap();
    assert_eq!((head.body.slice(&buffer), *seen.connections.lock()), (&b"x"[..], 3));
}

#[tokio::test]
async fn large_bodies_into_the_same_buffer() {
    let body = "large_metric 1\n".repeat(100_000);
    let length = body.len();
    let (address, _) = serve(move |head| {
        Some(match head.split(' ').nth(1) {
            Some("/head") => format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(200_000)).into_bytes(),
            _ => text(&body),
        })
    })
    .await;
    let client = HttpClient::new(&HttpConfig::default());
    let request = Request::get(&format!("http://{address}/"), &[]).unwrap();
    let (mut kept, mut buffer) = (None, Vec::new());
    for _ in 0..4 {
        let head = client.fetch(&request, &mut kept, &mut buffer, LARGEST_BODY_BYTES).await.unwrap();
        assert_eq!(head.body.slice(&buffer).len(), length);
    }
    let endless = Request::get(&format!("http://{address}/head"), &[]).unwrap();
    let error = client.fetch(&endless, &mut None, &mut buffer, 100).await.unwrap_err();
    assert!(error.to_string().contains("its head is longer"), "{error}");
}

#[tokio::test]
async fn limits_of_bodies() {
    let (address, _) = serve(|head| {
        Some(match head.split(' ').nth(1) {
            Some("/chunks") => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n".to_vec(),
            Some("/gzip") => ok("Content-Encoding: zstd\r\n", &zstd::encode_all(&[0; 1000][..], 1).unwrap()),
            _ => text(&"x".repeat(1000)),
        })
    })
    .await;
    let client = HttpClient::new(&HttpConfig::default());
    for path in ["/length", "/chunks"] {
        let request = Request::get(&format!("http://{address}{path}"), &[]).unwrap();
        let error = client.fetch(&request, &mut None, &mut Vec::new(), 100).await.unwrap_err();
        assert_eq!(error, ClientError::BodyLimit, "{path}");
    }
    let request = Request::get(&format!("http://{address}/gzip"), &[]).unwrap();
    let mut buffer = Vec::new();
    let head = client.fetch(&request, &mut None, &mut buffer, 100).await.unwrap();
    assert_eq!(unpack(&head, head.body.slice(&buffer), 100, &mut Vec::new()), Err(ClientError::BodyLimit));
}

#[tokio::test]
async fn redirects() {
    let (address, seen) = serve(|head| {
        Some(match head.split(' ').nth(1) {
            Some("/a") => b"HTTP/1.1 302 Found\r\nLocation: /b?c=d\r\nContent-Length: 0\r\n\r\n".to_vec(),
            Some("/loop") => b"HTTP/1.1 301 Moved\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n".to_vec(),
            _ => text("there"),
        })
    })
    .await;
    let url = format!("http://{address}/a");
    assert_eq!(ask(&HttpConfig::default(), &url).await.unwrap().1, "there");
    assert!(seen.requests.lock()[1].starts_with("GET /b?c=d "));
    let stays = HttpConfig { follow_redirects: false, ..HttpConfig::default() };
    assert_eq!(ask(&stays, &url).await.unwrap_err(), ClientError::Status("302 Found".to_owned()));
    let looped = ask(&HttpConfig::default(), &format!("http://{address}/loop")).await.unwrap_err();
    assert_eq!(looped, ClientError::Connection("stopped after 10 redirects".to_owned()));
}

#[tokio::test]
async fn credentials_and_headers() {
    let (address, seen) = serve(|head| {
        Some(if head.contains("/token") {
            ok("", br#"{"access_token":"fresh","token_type":"bearer","expires_in":100}"#)
        } else {
            text("x")
        })
    })
    .await;
    let url = format!("http://{address}/");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "from-file\n").unwrap();
    let basic = BasicAuth { username: inline("u"), password: Some(inline("p")) };
    let bearer = Authorization { kind: "Bearer".to_owned(), credentials: Some(SecretValue::File(file.clone())) };
    let oauth2 = OAuth2 {
        client_id: "id".to_owned(),
        client_secret: Some(inline("secret")),
        scopes: vec!["a".to_owned(), "b".to_owned()],
        token_url: format!("http://{address}/token"),
        endpoint_params: vec![("audience".to_owned(), "x".to_owned())],
        tls: TlsConfig::default(),
        proxy: Proxy::default(),
    };
    let header = Header { name: "X-Tenant".to_owned(), values: vec![inline("one"), SecretValue::File(file.clone())] };
    let usual = HttpConfig::default;
    let last = || seen.requests.lock().last().unwrap().clone();
    ask(&HttpConfig { basic_auth: Some(basic), ..usual() }, &url).await.unwrap();
    assert!(last().contains("Authorization: Basic dTpw\r\n"));
    let config = HttpConfig { authorization: Some(bearer), headers: vec![header], ..usual() };
    ask(&config, &url).await.unwrap();
    assert!(
        last().contains("Authorization: Bearer from-file\r\nX-Tenant: one\r\nX-Tenant: from-file\r\n"),
        "{}",
        last()
    );
    std::fs::write(&file, "evil\r\nX: y").unwrap();
    assert!(matches!(ask(&config, &url).await, Err(ClientError::Settings(_))));
    let client = HttpClient::new(&HttpConfig { oauth2: Some(oauth2), ..usual() });
    let request = Request::get(&url, &[]).unwrap();
    for _ in 0..2 {
        client.get(&request, Duration::from_secs(5)).await.unwrap();
        assert!(last().contains("Authorization: Bearer fresh\r\n"));
    }
    let requests = seen.requests.lock();
    let tokens: Vec<_> = requests.iter().filter(|r| r.starts_with("POST /token")).collect();
    assert_eq!(tokens.len(), 1, "a token is used until it ends");
    assert!(tokens[0].contains("Authorization: Basic aWQ6c2VjcmV0\r\n"));
}

#[tokio::test]
async fn tls_with_names_and_client_certificates() {
    let authority = rcgen::generate_simple_self_signed(vec!["target.test".to_owned()]).unwrap();
    let (cert, key) = (authority.cert.pem(), authority.signing_key.serialize_pem());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let der = authority.cert.der().clone();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(der.clone()).unwrap();
    let roots = Arc::new(roots);
    let clients = rustls::server::WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(vec![der], authority.signing_key.into())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(talk(stream, Arc::new(|_: &str| Some(text("secret"))), Seen::default()));
            }
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let ca_file = dir.path().join("ca.pem");
    std::fs::write(&ca_file, &cert).unwrap();
    let whole = TlsConfig {
        ca_file: Some(ca_file),
        cert: Some(cert.clone()),
        key: Some(inline(&key)),
        server_name: Some("target.test".to_owned()),
        ..TlsConfig::default()
    };
    let with = |tls: TlsConfig| HttpConfig { tls, ..HttpConfig::default() };
    assert_eq!(ask(&with(whole.clone()), &url).await.unwrap().1, "secret");
    let other_name = ask(&with(TlsConfig { server_name: None, ..whole.clone() }), &url).await.unwrap_err();
    assert!(other_name.to_string().contains("tls: "), "{other_name}");
    let any = TlsConfig { ca_file: None, server_name: None, insecure_skip_verify: true, ..whole.clone() };
    assert_eq!(ask(&with(any), &url).await.unwrap().1, "secret");
    let nobody = TlsConfig { cert: None, key: None, ..whole.clone() };
    assert!(ask(&with(nobody), &url).await.is_err(), "the server wants to know who asks");
    let missing = TlsConfig { ca_file: Some("/no/such/file".into()), ..whole };
    assert!(ask(&with(missing), &url).await.unwrap_err().to_string().contains("unable to read CA cert /no/such/file"));
}

#[tokio::test]
async fn through_a_proxy() {
    let (address, seen) = serve(|_| Some(text("from the proxy"))).await;
    let proxy =
        Proxy { url: Some(format!("http://{address}")), except: vec![".direct".to_owned()], ..Proxy::default() };
    let config = HttpConfig { proxy, ..HttpConfig::default() };
    assert_eq!(ask(&config, "http://far.away:81/x?y=z").await.unwrap().1, "from the proxy");
    assert!(seen.requests.lock()[0].starts_with("GET http://far.away:81/x?y=z HTTP/1.1\r\nHost: far.away:81\r\n"));
    let _ = ask(&config, "https://far.away/x").await;
    assert!(seen.requests.lock()[1].starts_with("CONNECT far.away:443 HTTP/1.1\r\n"));
    assert!(ask(&config, "http://x.direct:1/").await.unwrap_err().to_string().contains("dial tcp x.direct:1"));
}

#[tokio::test]
async fn lines_of_a_stream() {
    let (address, _) = serve(|head| {
        Some(if head.contains("/chunked") {
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\none\nt\r\n6\r\nwo\nthr\r\n4\r\nee\nx\r\n0\r\n\r\n".to_vec()
        } else {
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec()
        })
    })
    .await;
    let client = HttpClient::new(&HttpConfig::default());
    let request = |path: &str| Request::get(&format!("http://{address}{path}"), &[]).unwrap();
    let mut lines = client.lines(&request("/chunked")).await.unwrap();
    let mut all = Vec::new();
    while let Some(line) = lines.next().await.unwrap() {
        all.push(String::from_utf8(line).unwrap());
    }
    assert_eq!(all, ["one", "two", "three", "x"]);
    assert_eq!(client.lines(&request("/")).await.unwrap_err(), ClientError::Status("403 Forbidden".to_owned()));
}
