//! Files of cases. Everything wrong with one is told at once, by case.

use super::Case;
use cutover::config::parse_toml_value;
use serde_json::{Map, Value};
use std::path::Path;

/// The cases of a file, or everything that is wrong with it, a line each.
pub(crate) fn load(file: &Path) -> Result<Vec<Case>, String> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        format!("{name} cannot be read: {error}; docs/plugins.md says what stands in it")
    })?;
    read(&text, &name.to_string())
}

fn read(text: &str, name: &str) -> Result<Vec<Case>, String> {
    let document = parse_toml_value(text, name).map_err(|report| report.to_string())?;
    let Value::Object(mut document) = document else {
        return Err(format!("{name}: not a table"));
    };
    let config = document.remove("config");
    let cases = match document.remove("case") {
        Some(Value::Array(cases)) if !cases.is_empty() => cases,
        Some(_) | None => return Err(format!("{name}: there is no [[case]]")),
    };
    let mut wrong: Vec<String> = document
        .keys()
        .map(|key| format!("{name}: unknown key `{key}`; there are `config` and `[[case]]`"))
        .collect();
    let mut sound = Vec::with_capacity(cases.len());
    for (number, value) in (1..).zip(cases) {
        match case(value, config.as_ref()) {
            Ok(case) => sound.push(case),
            Err((title, what)) => wrong.push(format!("{name}: case {number}{title}: {what}")),
        }
    }
    if wrong.is_empty() { Ok(sound) } else { Err(wrong.join("\n")) }
}

/// A case, or its name and what is wrong with it.
fn case(value: Value, config: Option<&Value>) -> Result<Case, (String, String)> {
    let title = value.get("name").and_then(Value::as_str);
    let title = title.map(|name| format!(" ({name})")).unwrap_or_default();
    let of_config = |value: &Value| {
        let table = value.as_object().cloned();
        table.ok_or_else(|| (title.clone(), "`config` is a table".to_owned()))
    };
    let mut case: Case =
        serde_json::from_value(value).map_err(|error| (title.clone(), error.to_string()))?;
    let own = case.config.as_ref().or(config).map(of_config).transpose()?;
    case.config = Some(Value::Object(own.unwrap_or_else(Map::new)));
    case.check().map_err(|what| (title, what))?;
    Ok(case)
}

#[cfg(test)]
mod tests {
    use super::super::Asks;
    use super::*;

    fn one(text: &str) -> Case {
        let text = format!("[[case]]\nname = \"x\"\n{text}\n");
        let mut cases = read(&text, "cases.toml").expect("a good case");
        cases.remove(0)
    }

    #[test]
    fn what_a_case_is_given_and_expects_says_which_hook_it_asks() {
        for (text, asks) in [
            ("expect = { backend = \"new\" }", Asks::Split),
            ("expect = { fault = \"trap\" }", Asks::Split),
            ("expect = { edits = [] }", Asks::OnRequest),
            ("backend = \"old\"\nexpect = { fault = \"trap\" }", Asks::OnRequest),
            ("reply = {}\nexpect = { edits = [] }", Asks::OnResponse),
            ("failure = { cause = \"5xx\" }\nexpect = { action = \"propagate\" }", Asks::OnFailure),
            ("reply = { body = \"x\" }\nexpect = { body = \"\" }", Asks::Normalise),
            ("reply = { body = \"x\" }\nexpect = { fault = \"trap\" }", Asks::Normalise),
            (
                "replies = { old = { body = \"x\" }, new = { body = \"y\" } }\n\
                 expect = { same = false }",
                Asks::Normalise,
            ),
            ("expect = { refused = \"\" }", Asks::Configure),
        ] {
            assert_eq!(one(text).asks(), asks, "{text}");
        }
    }

    #[test]
    fn a_case_has_its_own_configuration_or_the_files() {
        let text = "config = { a = 1 }\n[[case]]\nname = \"x\"\nexpect = { edits = [] }\n\
                    [[case]]\nname = \"y\"\nconfig = { b = 2 }\nexpect = { edits = [] }\n";
        let cases = read(text, "cases.toml").expect("good cases");
        assert_eq!([cases[0].config(), cases[1].config()], ["{\"a\":1}", "{\"b\":2}"]);
        assert_eq!(one("expect = { edits = [] }").config(), "{}");
    }

    #[test]
    fn a_share_is_a_number_or_a_text() {
        for share in ["5", "\"5%\"", "5.0", "\"5\""] {
            let case = one(&format!("share = {share}\nexpect = {{ backend = \"old\" }}"));
            assert_eq!(case.share().expect("a percent").thousandths(), 5_000, "{share}");
        }
    }

    #[test]
    fn everything_wrong_with_a_file_is_told_at_once_by_case() {
        let text = "cases = 1\n[[case]]\nname = \"first\"\nexpect = {}\n\
                    [[case]]\nname = \"second\"\nexpect = { backend = \"newer\" }\n\
                    [[case]]\nname = \"third\"\nexpect = { action = \"propagate\" }\n\
                    [[case]]\nname = \"fourth\"\nbucket = 100000\nexpect = { backend = \"new\" }\n\
                    [[case]]\nname = \"fifth\"\nshare = \"x\"\nexpect = { backend = \"new\" }\n\
                    [[case]]\nname = \"sixth\"\nrequest = { pat = \"/\" }\nexpect = { edits = [] }\n\
                    [[case]]\nname = \"seventh\"\nreply = { body = \"\" }\nexpect = { body = \"\" }\n\
                    [[case]]\nname = \"eighth\"\nreply = { body = \"x\" }\nexpect = { same = true }\n\
                    [[case]]\nname = \"ninth\"\nreply = {}\nexpect = { cannot = \"x\" }\n\
                    [[case]]\nname = \"tenth\"\nbackend = \"old\"\nexpect = { same = true }\n\
                    replies = { old = { body = \"x\" }, new = { body = \"x\" } }\n";
        let wrong = read(text, "cases.toml").expect_err("wrong");
        let parts = [
            "unknown key `cases`",
            "case 1 (first): `expect` names nothing",
            "case 2 (second): unknown variant `newer`",
            "case 3 (third): `action` is nothing that split answers",
            "case 4 (fourth): `bucket`",
            "case 5 (fifth): share",
            "case 6 (sixth): unknown field `pat`",
            "case 7 (seventh): a `reply` has no `body`",
            "case 8 (eighth): `same` wants two",
            "case 9 (ninth): `cannot` is nothing that on-response answers; give the case a `reply` with",
            "case 10 (tenth): `replies` are of both sides",
        ];
        assert_eq!(wrong.lines().count(), parts.len(), "{wrong}");
        for part in parts {
            assert!(wrong.contains(part), "{part}: {wrong}");
        }
        assert!(read("", "cases.toml").is_err_and(|wrong| wrong.contains("no [[case]]")));
    }
}
