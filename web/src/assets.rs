//! Style sheets, scripts and icons, embedded and served under a content hash that lets browsers keep them. I/O: none.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// One hash over all files: scripts import each other by relative address, so they change address together.
static BUNDLE: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Files::iter().collect();
    names.sort();
    let mut hash = Sha256::new();
    for name in names {
        hash.update(name.as_bytes());
        if let Some(file) = Files::get(&name) {
            hash.update(file.metadata.sha256_hash());
        }
    }
    hash.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect()
});

/// Address of a file.
pub fn url(path: &str) -> String {
    format!("/assets/{}/{path}", *BUNDLE)
}

/// `GET /assets/{bundle}/{path}`
pub async fn serve(Path((bundle, path)): Path<(String, String)>) -> Response {
    let Some(file) = Files::get(&path) else { return StatusCode::NOT_FOUND.into_response() };
    let kind = mime_guess::from_path(&path).first_or_octet_stream();
    let keep = if bundle == *BUNDLE { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_str(kind.as_ref()).unwrap_or(HeaderValue::from_static("text/plain"))),
        (header::CACHE_CONTROL, HeaderValue::from_static(keep)),
    ];
    (headers, file.data).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_and_sheet_is_free_of_other_hosts() {
        for name in Files::iter().filter(|n| !n.starts_with("vendor/")) {
            let file = Files::get(&name).unwrap();
            let text = String::from_utf8_lossy(&file.data).replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("http://") && !text.contains("https://"), "{name} names another host");
        }
    }
}
