//! Credentials that stand in the file itself: header edits and plugin settings have no other place for them.
//!
//! What is one is told by its name, as log scrubbers do it. Too much is hidden rather than too little.

use super::{Printed, Table};

/// Stands for a value that is not shown.
const HIDDEN: &str = "(not shown)";
/// Headers that hold credentials, and parts of names that do.
const HEADERS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "set-cookie"];
const PARTS: [&str; 7] = ["api-key", "api_key", "apikey", "credential", "passw", "secret", "token"];

/// Replaces secrets wherever a person may have written one: in edits of headers, and in settings of plugins.
pub(super) fn hide(table: &mut Table) {
    for (name, value) in &mut table.0 {
        let free = matches!(&**name, "set" | "append" | "config");
        each_table(value, if free { hide_by_name } else { hide });
    }
}

/// Replaces every value below a name that says that it is a secret.
fn hide_by_name(table: &mut Table) {
    for (name, value) in &mut table.0 {
        if is_secret(name) {
            hide_all(value);
        } else {
            each_table(value, hide_by_name);
        }
    }
}

/// The value if it is a table, or each of its items that is one.
fn each_table(value: &mut Printed, change: fn(&mut Table)) {
    if let Printed::List(items) = value {
        items.iter_mut().for_each(|item| each_table(item, change));
    } else if let Printed::Table(table) = value {
        change(table);
    }
}

fn hide_all(value: &mut Printed) {
    match value {
        Printed::List(items) => items.iter_mut().for_each(hide_all),
        Printed::Table(table) => table.0.iter_mut().for_each(|(_, value)| hide_all(value)),
        Printed::Text(_)
        | Printed::Flag(_)
        | Printed::Count(_)
        | Printed::Whole(_)
        | Printed::Number(_)
        | Printed::Date(_) => *value = HIDDEN.into(),
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    HEADERS.contains(&&*name) || PARTS.iter().any(|part| name.contains(part))
}
