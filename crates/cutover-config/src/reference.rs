//! `docs/config-reference.md`, made from the vocabulary.

use crate::keys::{Kind, Presence, Section, sections};
use std::fmt::Write as _;

const INTRODUCTION: &str = "\
# cutover.toml: reference

Made by `cutover-config` from the tables that the reader itself uses. To change it, edit `crates/cutover-config/src/keys`
and run `UPDATE_EXPECT=1 cargo test -p cutover-config`.

Keys are kebab-case. Durations are written `\"250ms\"`, `\"2s\"`, `\"1h30m\"` (units us, ms, s, m, h, d); percents `5`, `2.5` or
`\"0.125%\"`; sizes `\"64KiB\"`, `\"1MiB\"` or a number of bytes; dates without quotes. Files are relative to the folder of
`cutover.toml`. Unknown keys are refused. `cutover check` prints everything that is wrong at once; editors that
understand JSON Schema complete keys with `docs/cutover.schema.json`:

```toml
#:schema ./cutover.schema.json
```
";

/// The page as Markdown.
pub fn reference() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (place, section) in sections() {
        let title = match place.as_str() {
            "" => "The file".to_owned(),
            _ => format!("`{place}`"),
        };
        let _ = write!(page, "\n## {title}\n\n{}\n\n", section.meaning);
        page.push_str("| key | type | if absent | meaning |\n|---|---|---|---|\n");
        rows(&mut page, section);
    }
    page
}

fn rows(page: &mut String, section: &Section) {
    for key in section.keys {
        let absent = match key.presence {
            Presence::Required(_) => "**required**".to_owned(),
            Presence::Default(text) if is_quoted(&key.kind, text) => format!("`\"{text}\"`"),
            Presence::Default(text) => format!("`{text}`"),
            Presence::Optional(meaning) => meaning.to_owned(),
        };
        let kind = key.kind.describe();
        let cells = [kind, absent, key.meaning.to_owned()].map(|text| text.replace('|', "\\|"));
        let _ = writeln!(page, "| `{}` | {} |", key.name, cells.join(" | "));
    }
}

/// Is the default a text in TOML?
fn is_quoted(kind: &Kind, text: &str) -> bool {
    let bare = text.starts_with(['[', '{']) || matches!(text, "true" | "false");
    !bare && !matches!(kind, Kind::Count(..) | Kind::Ratio)
}
