//! Texts. Pure.

super::texts! {
    /// Texts.
    Auth {
        title: "Título", "Title";
    }
}
