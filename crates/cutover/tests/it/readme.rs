//! The example of the crate's documentation is the one of the repository's front page. It is not included from there: a
//! published crate has no such file.

/// The lines of the first block of Rust.
fn example<'t>(lines: impl Iterator<Item = &'t str>, begin: &str) -> String {
    let block = lines.skip_while(|line| *line != begin).skip(1);
    block.take_while(|line| *line != "```").collect::<Vec<_>>().join("\n")
}

#[test]
fn the_crate_shows_the_example_of_the_front_page() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let Ok(page) = std::fs::read_to_string(root.join("../../README.md")) else {
        println!("SKIPPED: there is no front page here: this is a published crate");
        return;
    };
    let page = example(page.lines(), "```rust");
    let library =
        include_str!("../../src/lib.rs").lines().map_while(|line| line.strip_prefix("//!"));
    let documented = example(library.map(|line| line.strip_prefix(' ').unwrap_or(line)), "```");
    assert!(page.contains("engine.begin(&request)"), "the example is found: {page}");
    assert_eq!(documented, page);
}
