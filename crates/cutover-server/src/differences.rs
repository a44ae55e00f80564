//! `cutover diff`: where the two sides answer something else.

use crate::admin_api::{Asked, Fault, text};
use crate::args::Output;
use crate::args::verbs::Diff;
use crate::exit::{Exit, print, say};
use crate::paragraph::{labelled, printable, thousands};
use cutover::core::migration::Timestamp;
use serde_json::Value;

pub(crate) fn diff(args: &Diff) -> Exit {
    asked(args).unwrap_or_else(|fault| {
        say(labelled("error: ", &fault.to_string()));
        Exit::Failed
    })
}

fn asked(args: &Diff) -> Result<Exit, Fault> {
    let path = format!("/admin/v1/migrations/{}/diffs", args.name);
    let reply = args.target.admin().ask(&Asked::get(&path))?;
    match args.target.output {
        Output::Json => print(format_args!("{reply:#}")),
        Output::Text => print(shown(&reply)),
    }
    Ok(Exit::Done)
}

/// Everything, as a person reads it.
fn shown(reply: &Value) -> String {
    let number = |of: &Value| thousands(of.as_u64().unwrap_or_default());
    let name = printable(&text(reply, "name"));
    let mut lines = vec![format!(
        "{name}: {} of {} comparisons differ for good, since the process began",
        number(&reply["mismatched"]),
        number(&reply["compared"]),
    )];
    let groups = reply["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    for group in groups {
        lines.push(String::new());
        let what = format!("{} {}", text(group, "route"), text(group, "field"));
        lines.push(labelled("", &printable(&what)));
        let (kind, count) = (text(group, "kind"), number(&group["count"]));
        let [first, last] = ["firstSeenMs", "lastSeenMs"]
            .map(|key| Timestamp::from_millis(group[key].as_u64().unwrap_or_default()));
        lines.push(labelled("    ", &format!("{kind}, {count} times, {first} to {last}")));
        let example = &group["example"];
        for side in ["old", "new"] {
            lines.push(labelled(&format!("    {side}  "), &printable(&text(example, side))));
        }
        if let Some(command) = silencing(&name, &group["ignore"]) {
            lines.push(labelled("    if it does not matter: ", &printable(&command)));
        }
    }
    let added = reply["added"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !added.is_empty() {
        lines.push(String::new());
        lines.push("left out by people; move it into compare of the configuration:".to_owned());
    }
    for rule in added {
        let who = format!(
            "{} {}, by {}: {}",
            text(rule, "list"),
            text(rule, "rule"),
            text(rule, "by"),
            text(rule, "reason")
        );
        lines.push(labelled("    ", &printable(&who)));
    }
    let suggestions = reply["suggestions"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !suggestions.is_empty() {
        lines.push(String::new());
        lines.push("old disagrees with itself here; if nobody would mind, write:".to_owned());
    }
    for suggestion in suggestions {
        let rule = format!("{} = [\"{}\"]", text(suggestion, "list"), text(suggestion, "rule"));
        let often = format!(
            "{rule} # {} of {} within old",
            number(&suggestion["differedWithinOld"]),
            number(&suggestion["ofOldTwice"])
        );
        lines.push(labelled("    ", &printable(&often)));
    }
    if groups.is_empty() {
        lines.push("no difference since the evidence began".to_owned());
    } else {
        let next = "values are digests unless compare.show lists their field; mend new, then: \
                    cutover retry";
        lines.push(String::new());
        lines.push(labelled("next: ", &format!("{next} {name} --reason '…'")));
    }
    lines.join("\n")
}

/// The command that leaves a field out, if one does.
fn silencing(name: &str, ignore: &Value) -> Option<String> {
    let rule = ignore["rule"].as_str()?;
    let order = if ignore["list"] == "unordered" { " --unordered" } else { "" };
    Some(format!("cutover ignore {name} '{rule}'{order} --reason '…'"))
}

#[cfg(test)]
mod tests {
    use super::shown;
    use serde_json::json;

    #[test]
    fn a_difference_is_shown_with_both_sides_and_the_next_command() {
        let told = shown(&json!({
            "name": "profile", "compared": 2_000, "mismatched": 256,
            "groups": [{
                "route": "GET /api/profile/{id}", "field": "/joined", "kind": "value",
                "count": 256, "firstSeenMs": 0, "lastSeenMs": 60_000,
                "example": { "old": "2024-03-07", "new": "07.03.2024" },
            }],
            "suggestions": [{
                "list": "ignore", "rule": "/trace", "differedWithinOld": 50, "ofOldTwice": 50,
            }],
        }));
        for part in [
            "profile: 256 of 2,000 comparisons differ",
            "GET /api/profile/{id} /joined\n    value, 256 times, 1970-01-01 00:00:00Z",
            "    old  2024-03-07\n    new  07.03.2024\n",
            "    ignore = [\"/trace\"] # 50 of 50 within old",
            "cutover retry profile --reason",
        ] {
            assert!(told.contains(part), "{part}\n{told}");
        }
        assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    }

    #[test]
    fn nothing_found_is_said() {
        let told = shown(&json!({ "name": "profile", "compared": 0, "mismatched": 0 }));
        assert!(told.ends_with("no difference since the evidence began"), "{told}");
    }
}
