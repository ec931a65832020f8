//! Samples that are sent with tokens: only for the systems of the token, and nobody without one. I/O: a temporary store.

use axum::body::Body;
use http::{Request, StatusCode, header};

use super::{Got, Site};

/// A remote-write request with one sample of each series.
fn message(all: &[&[(&str, &str)]]) -> Vec<u8> {
    fn field(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
        out.push(tag);
        assert!(bytes.len() < 128);
        out.push(bytes.len() as u8);
        out.extend_from_slice(bytes);
    }
    let mut request = Vec::new();
    for labels in all {
        let mut series = Vec::new();
        for (name, value) in *labels {
            let mut pair = Vec::new();
            field(&mut pair, 0x0a, name.as_bytes());
            field(&mut pair, 0x12, value.as_bytes());
            field(&mut series, 0x0a, &pair);
        }
        // The value 1 at time 1.
        field(&mut series, 0x12, &[9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x10, 1]);
        field(&mut request, 0x0a, &series);
    }
    snap::raw::Encoder::new().compress_vec(&request).unwrap()
}

async fn send(site: &Site, token: Option<&str>, body: Vec<u8>) -> Got {
    let mut request = Request::post("/api/v1/write").header(header::CONTENT_TYPE, "application/x-protobuf");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    site.send(request.body(Body::from(body)).unwrap()).await
}

const UP: &[(&str, &str)] = &[("__name__", "pushed")];
const OWN: &[(&str, &str)] = &[("__name__", "pushed"), ("system", "sigcerh")];
const OTHER: &[(&str, &str)] = &[("__name__", "pushed"), ("system", "otro")];

#[tokio::test]
async fn sec_12_samples_are_taken_for_the_systems_of_a_token_only() {
    let site = Site::new(false);
    assert_eq!(send(&site, None, message(&[UP])).await.status, StatusCode::UNAUTHORIZED);
    let sees = site.token_of(&["see"]);
    assert_eq!(send(&site, Some(&sees), message(&[OWN])).await.status, StatusCode::FORBIDDEN);
    let one = site.token_of(&["see", "run", "system:sigcerh"]);
    assert_eq!(send(&site, Some(&one), message(&[OWN])).await.status, StatusCode::NO_CONTENT);
    // Without a label it is the token's own system.
    assert_eq!(send(&site, Some(&one), message(&[UP])).await.status, StatusCode::NO_CONTENT);
    let refused = send(&site, Some(&one), message(&[OTHER, OWN])).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("may not be written with these rights"), "{}", refused.body);
    let elsewhere = site.token_of(&["see", "run", "system:nowhere"]);
    let refused = send(&site, Some(&elsewhere), message(&[OWN])).await;
    assert!(refused.status.is_client_error(), "{} {}", refused.status, refused.body);
    let all = site.token_of(&["see", "run"]);
    assert_eq!(send(&site, Some(&all), message(&[UP, OTHER])).await.status, StatusCode::NO_CONTENT);

    let store = site.app.receiving.as_ref().unwrap();
    let counted: Vec<(String, u64, u64)> = store
        .writer()
        .senders()
        .iter()
        .map(|s| {
            let system = s.counters().rejected().find(|(r, _)| r.name() == "system").map_or(0, |(_, n)| n);
            (s.name().to_owned(), s.counters().samples(), system)
        })
        .filter(|(_, samples, _)| *samples > 0)
        .collect();
    assert_eq!(counted, [("*".to_owned(), 2, 0), ("sigcerh".to_owned(), 1, 1)]);
}

#[tokio::test]
async fn deleting_series_is_for_administrators_and_told() {
    let site = Site::new(false);
    let path = "/api/v1/admin/tsdb/delete_series?match[]=pushed";
    let post = async |token: &str| {
        let request = Request::post(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        site.send(request.body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(post(&site.token_of(&["see", "run"])).await, StatusCode::FORBIDDEN);
    let (cookie, csrf) = site.session("jefa", crate::auth::Role::Administrator).await;
    let request = Request::post(path).header(header::COOKIE, cookie).header("x-csrf-token", csrf);
    let request = request.header("sec-fetch-site", "same-origin");
    let got = site.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(got.status, StatusCode::NO_CONTENT, "{}", got.body);
    assert!(super::deeds(&site).iter().any(|d| d.contains("series.delete_series")), "{:?}", super::deeds(&site));
}
