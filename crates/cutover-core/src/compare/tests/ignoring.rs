//! Rules that people add one by one: which are refused, how they are spelled, and what outranks
//! them.

use super::*;
use crate::compare::{IgnoreList, IgnoreRule, Kind, MAX_IGNORE_RULE_BYTES};

const LISTS: [IgnoreList; 2] = [IgnoreList::Ignore, IgnoreList::Unordered];

fn rule(list: IgnoreList, text: &str) -> IgnoreRule {
    IgnoreRule::new(list, text).unwrap_or_else(|finding| panic!("{finding}"))
}

#[test]
fn a_rule_that_is_none_is_refused_with_what_to_write() {
    let [ignore, unordered] = LISTS;
    let long = format!("/{}", "a".repeat(MAX_IGNORE_RULE_BYTES));
    for (list, text, told) in [
        (ignore, "", "it would leave out the whole body: name what differs"),
        (ignore, "/", "it would leave out the whole body"),
        (ignore, "/*", "it would leave out the whole body"),
        (ignore, "/*/*", "it would leave out the whole body"),
        (ignore, "header:*", "no wildcards: name one header"),
        (ignore, "header: date", "write header:date"),
        (ignore, "updated_at", "a pointer begins with `/`: write /updated_at"),
        (ignore, "/a/", "names a member without a name"),
        (ignore, "/a~9", "is not followed by 0, 1 or 2"),
        (ignore, "/a\u{1b}[2J", "a control character"),
        (ignore, &long, "more than 512 bytes"),
        (unordered, "header:date", "a pointer begins with `/`"),
        (unordered, "tags", "write /tags"),
    ] {
        let finding = IgnoreRule::new(list, text).expect_err(text);
        assert_eq!(finding.list, list.name());
        assert!(finding.to_string().contains(told), "{finding}");
    }
    assert!(IgnoreRule::new(ignore, &long[1..].replacen('a', "/", 1)).is_ok(), "512 are allowed");
}

#[test]
fn equal_rules_are_equal_texts() {
    for (written, spelled) in [
        ("header:Date", "header:date"),
        ("/items/*/etag", "/items/*/etag"),
        ("/~2", "/~2"),
        ("/a~2b", "/a*b"),
        ("/a~1b~0", "/a~1b~0"),
        ("//a", "//a"),
    ] {
        let once = rule(IgnoreList::Ignore, written);
        assert_eq!(once.text(), spelled);
        assert_eq!(rule(IgnoreList::Ignore, spelled), once, "it is read as it was written");
    }
    let ignore = vec!["header:Date".to_owned(), "/a~2".to_owned()];
    let spec = RuleSpec { ignore, ..RuleSpec::default() };
    assert!(spec.has(&rule(IgnoreList::Ignore, "header:date")));
    assert!(spec.has(&rule(IgnoreList::Ignore, "/a*")));
    assert!(!spec.has(&rule(IgnoreList::Unordered, "/a*")), "another list");
}

/// What stands in a difference's group can be taken as it is.
#[test]
fn the_rule_of_a_group_silences_it() {
    let key =
        |path: &str, kind| GroupKey { route: "GET /".to_owned(), path: path.to_owned(), kind };
    for (path, kind, list) in [
        ("/items/*/etag", Kind::Value, "ignore"),
        ("/tags", Kind::Order, "unordered"),
        ("", Kind::Order, "unordered"),
        ("header:date", Kind::Header, "ignore"),
    ] {
        let rule = key(path, kind).rule().expect("there is one");
        assert_eq!((rule.text(), rule.list().name()), (path, list));
    }
    for (path, kind, told) in [
        ("status", Kind::Status, "no rule leaves out a status: mend new"),
        ("", Kind::Digest, "the whole body"),
        ("/*", Kind::Value, "the whole body"),
    ] {
        let finding = key(path, kind).rule().expect_err("there is none");
        assert!(finding.to_string().contains(told), "{finding}");
    }
    let (old, new) =
        (r#"{"items":[{"etag":1}],"tags":[1,2]}"#, r#"{"items":[{"etag":2}],"tags":[2,1]}"#);
    let found = told(old, new, &Rules::default());
    assert_eq!(found.lines().count(), 2, "{found}");
    let added = [rule(IgnoreList::Ignore, "/items/*/etag"), rule(IgnoreList::Unordered, "/tags")];
    let spec = RuleSpec::default().with(&added);
    assert_eq!(told(old, new, &Rules::compile(&spec).expect("they compile")), "");
}

#[test]
fn what_the_configuration_says_outranks_what_was_added() {
    let keyed = vec![("/items".to_owned(), "/id".to_owned())];
    let spec = RuleSpec { keyed, ..RuleSpec::default() };
    let (against, beside) =
        (rule(IgnoreList::Unordered, "/items"), rule(IgnoreList::Ignore, "/at"));
    assert!(spec.contradicts(&against) && !spec.contradicts(&beside));
    let both = spec.with([&against, &beside]);
    assert_eq!((both.unordered.len(), both.ignore.as_slice()), (0, &["/at".to_owned()][..]));
    assert!(Rules::compile(&both).is_ok());
}
