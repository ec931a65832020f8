//! The manual's table of roles is the one that decides. Reads files, so it stands outside of the room.

use std::path::Path;

use decide::access::page;
use kernel::Language;
use kernel::access::Verb;

const BEGIN: &str = "<!-- made from kernel/src/access.rs -->\n";
const END: &str = "<!-- end -->\n";

#[test]
fn sec_12_the_manuals_table_is_the_one_that_decides() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (file, language) in [("docs/en/access.md", Language::En), ("docs/es/access.md", Language::Es)] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let (_, rest) = text.split_once(BEGIN).unwrap_or_else(|| panic!("{file} has no table"));
        let (table, _) = rest.split_once(END).unwrap_or_else(|| panic!("{file}'s table has no end"));
        assert_eq!(table.trim(), page::markdown(language).trim(), "{file}: put this table in its place");
        for verb in Verb::ALL {
            let line = format!("- **{}** — {}", verb.label(language), page::meaning(*verb, language));
            assert!(text.contains(&line), "{file} lacks the line: {line}");
        }
    }
}
