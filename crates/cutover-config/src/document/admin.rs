//! Reads `[admin]`.

use crate::keys;
use crate::place::At;
use crate::reader::{Item, Reader};
use crate::settings::{AdminSettings, AdminToken, TokenHash};
use cutover_core::migration::Role;
use std::net::SocketAddr;

/// Longest name of a person.
const LONGEST_NAME: usize = 64;

/// The settings, and where the listener's address stands.
pub(super) fn read(root: &Reader<'_>) -> At<AdminSettings> {
    let default = SocketAddr::from(([127, 0, 0, 1], 8081));
    let absent = || At { value: Some(default), span: root.span };
    let read = root.table("admin", &keys::ADMIN, |reader| {
        let listen = reader.item("listen").and_then(|item| match item.value.as_str() {
            Some("off") => Some(At { value: None, span: item.span }),
            _ => item.get::<SocketAddr>().map(|at| at.map(Some)),
        });
        let listen = listen.unwrap_or_else(absent);
        let tokens = reader.item("tokens").map(|list| tokens(&list)).unwrap_or_default();
        listen.map(|listen| AdminSettings { listen, tokens })
    });
    read.unwrap_or_else(|| absent().map(|listen| AdminSettings { listen, tokens: Vec::new() }))
}

fn tokens(list: &Item<'_>) -> Vec<AdminToken> {
    let mut all: Vec<AdminToken> = Vec::new();
    for item in list.items().into_iter().flatten() {
        let Some(token) = item.table(&keys::TOKEN, token).flatten() else { continue };
        if let Some(other) = all.iter().find(|known| known.hash == token.hash) {
            let what = format!("{} and {} have the same token", other.name, token.name);
            item.error(what, "make one for each: cutover token new --name NAME --role ROLE");
        } else {
            all.push(token);
        }
    }
    all
}

fn token(reader: &Reader<'_>) -> Option<AdminToken> {
    let name = reader.require::<String>("name");
    let role = reader.required("role").and_then(|item| item.choice(&Role::ALL));
    let hash = reader.required("hash").and_then(|item| token_hash(&item));
    let name = name?;
    let unprintable = name.chars().any(|c| c.is_control() || c.is_whitespace() && c != ' ');
    if unprintable || name.trim() != name.value || name.chars().count() > LONGEST_NAME {
        let what = format!("{:?} cannot be a name", name.value);
        let help = "write 1 to 64 printable characters: it stands in the audit log";
        reader.error("name", name.span, what, help);
    } else if name.value == "cutover" {
        let what = "cutover itself acts under this name";
        reader.error("name", name.span, what, "name the person, or the script");
    }
    Some(AdminToken { name: name.value, role: role?, hash: hash? })
}

/// A hash. Never repeated in a finding: somebody may have written the token itself.
fn token_hash(item: &Item<'_>) -> Option<TokenHash> {
    let text = item.get::<String>()?;
    let hash = TokenHash::parse(&text);
    if hash.is_none() {
        let help = "make a token with `cutover token new --name NAME --role ROLE`: it prints the \
                    line for this file";
        item.error("is not \"sha256:\" and 64 hexadecimal digits", help);
    }
    hash
}
