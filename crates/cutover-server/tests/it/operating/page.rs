//! The commands that a page tells its readers to type, and which of them have been typed.

use std::path::Path;

/// All commands, each until it has been played.
pub(super) struct Commands {
    known: Vec<String>,
    left: Vec<String>,
}

impl Commands {
    /// Every line of every `sh` block of docs/operating.md, what its text says to type, and what README says of `cutover`
    /// itself.
    pub(super) fn of_the_pages() -> Self {
        let (page, readme) = (read("docs/operating.md"), read("README.md"));
        let mut known = lines(&page);
        known.extend(spans(&page).filter(|span| span.split(' ').count() > 2));
        let readme = lines(&readme);
        let own =
            readme.iter().filter_map(|line| line.strip_prefix("cargo run -p cutover-server -- "));
        known.extend(own.map(|rest| format!("cutover {rest}")));
        assert!(known.len() > 45, "only {} commands were found", known.len());
        Self { left: known.clone(), known }
    }

    /// What the text only names: `cutover promote`.
    pub(super) fn verbs() -> Vec<String> {
        spans(&read("docs/operating.md")).filter(|span| span.split(' ').count() == 2).collect()
    }

    /// It is played now; it may have been played before.
    pub(super) fn play(&mut self, line: &str) {
        assert!(self.known.iter().any(|known| known == line), "no page says: {line}");
        self.left.retain(|left| left != line);
    }

    /// Nothing on the pages is left.
    pub(super) fn all_played(&self) {
        assert!(self.left.is_empty(), "never played:\n{}", self.left.join("\n"));
    }
}

fn read(page: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
    std::fs::read_to_string(file).expect("it is there")
}

/// Lines of a page's `sh` blocks, without comments.
fn lines(page: &str) -> Vec<String> {
    let blocks = page.split("```").skip(1).step_by(2);
    let blocks = blocks.filter_map(|block| block.strip_prefix("sh\n"));
    let lines = blocks.flat_map(str::lines).filter_map(|line| line.split(" #").next());
    lines.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// Commands within a page's text, which may be broken between two lines; NAME and a reason are put in.
fn spans(page: &str) -> impl Iterator<Item = String> {
    let text = page.split("```").step_by(2);
    let spans = text.flat_map(|text| text.split('`').skip(1).step_by(2));
    let spans = spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "));
    spans
        .filter(|span| span.starts_with("cutover "))
        .map(|span| span.replace("NAME", "profile").replace("'…'", "'a test'"))
}
