//! Texts. Pure.

super::texts! {
    /// Texts.
    Manage {
        title: "Título", "Title";
    }
}
