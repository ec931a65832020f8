//! A QR code as an SVG drawing that stands in the page: no image, no script, no other host. Pure.

use qrcodegen::{QrCode, QrCodeEcc};

/// Empty modules around the code (ISO/IEC 18004 asks for four).
const BORDER: i32 = 4;

/// A drawing of a text's QR code, black on white in both appearances because cameras want it so; `None` when the text is too
/// long for one. `label` is what screen readers say.
pub fn svg(text: &str, label: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let size = code.size() + 2 * BORDER;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let from = x;
            while x < code.size() && code.get_module(x, y) {
                x += 1;
            }
            if x > from {
                path.push_str(&format!("M{} {}h{}v1h-{}z", from + BORDER, y + BORDER, x - from, x - from));
            }
            x += 1;
        }
    }
    let label = label.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    Some(format!(
        r##"<svg class="qr" viewBox="0 0 {size} {size}" role="img" aria-label="{label}" shape-rendering="crispEdges"><rect width="{size}" height="{size}" fill="#fff"/><path d="{path}" fill="#000"/></svg>"##
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawing_holds_every_module() {
        let text = "otpauth://totp/Farero:ana?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Farero";
        let drawing = svg(text, "Código \"<QR>\"").unwrap();
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        let dark = (0..code.size())
            .flat_map(|y| (0..code.size()).map(move |x| (x, y)))
            .filter(|(x, y)| code.get_module(*x, *y))
            .count();
        let drawn: usize = drawing.split('h').skip(1).filter_map(|p| p.split('v').next()?.parse::<usize>().ok()).sum();
        assert_eq!(drawn, dark);
        assert!(
            drawing.contains("aria-label=\"Código &quot;&lt;QR>&quot;\"") && !drawing.contains("http"),
            "{drawing}"
        );
        assert_eq!(svg(&"x".repeat(5_000), ""), None);
    }
}
