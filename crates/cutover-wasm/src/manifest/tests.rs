//! What may be declared.

use super::*;
use lifecycle::Field;

fn declare(reads: &[Field], writes: &[&str], reasons: &[&str]) -> Result<Manifest, String> {
    let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let declared =
        lifecycle::Manifest { reads: reads.to_vec(), writes: own(writes), reasons: own(reasons) };
    Manifest::check(&declared).map_err(|wrong| wrong.join("\n"))
}

#[test]
fn names_are_normalised() {
    let manifest =
        declare(&[Field::Header("X-Tenant".into())], &["Host", "X-Served-By"], &["tenant: acme"])
            .expect("acceptable");
    assert_eq!(*manifest.reads, [Read::Header(HeaderName::from_static("x-tenant"))]);
    assert_eq!(*manifest.writes, ["host", "x-served-by"].map(HeaderName::from_static));
}

#[test]
fn bad_names_are_refused_by_name() {
    for field in [
        Field::Header("x y".into()),
        Field::Header(String::new()),
        Field::Header(":authority".into()),
        Field::Cookie("a=b".into()),
        Field::Cookie(String::new()),
        Field::QueryParam("a&b".into()),
        Field::PathParam("{id}".into()),
        Field::PathParam("a\nb".into()),
        Field::Header("x".repeat(MAX_NAME_BYTES + 1)),
    ] {
        let error = declare(std::slice::from_ref(&field), &[], &[]).expect_err("refused");
        assert!(error.contains("is not the name of a"), "{field:?}: {error}");
    }
}

#[test]
fn framing_headers_cannot_be_written_in_any_case() {
    for name in ["Connection", "content-length", "Transfer-Encoding", "TE", "upgrade", "Trailer"] {
        let error = declare(&[], &[name], &[]).expect_err("refused");
        assert!(error.contains("cannot be written"), "{name}: {error}");
    }
}

#[test]
fn counts_and_labels_are_bounded() {
    let error = declare(&vec![Field::Path; MAX_READS + 1], &[], &[]).expect_err("refused");
    assert!(error.contains("65 reads"), "{error}");
    for label in ["", "a\"b", "line\nbreak", &"x".repeat(MAX_NAME_BYTES + 1)] {
        assert!(declare(&[], &[], &[label]).is_err(), "{label}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let reads = [Field::Cookie("a b".into()), Field::Host, Field::Header("x y".into())];
    let error = declare(&reads, &["te", "x-fine", "no name"], &["ü"]).expect_err("refused");
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 5, "{error}");
    for (line, part) in lines.iter().zip(["\"a b\"", "\"x y\"", "\"te\"", "\"no name\"", "\"ü\""])
    {
        assert!(line.contains(part), "{line}");
    }
}
