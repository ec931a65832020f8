//! Texts. Pure.

super::texts! {
    /// Texts.
    Alerts {
        title: "Título", "Title";
    }
}
