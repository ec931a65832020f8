//! Texts. Pure.

super::texts! {
    /// Texts.
    CheckPage {
        title: "Título", "Title";
    }
}
