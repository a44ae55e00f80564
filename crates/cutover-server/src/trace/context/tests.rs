//! Headers as the W3C's texts and its validation suite have them.

use super::*;

const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
const SPAN: u64 = 0x00f0_67aa_0ba9_02b7;

fn read(headers: &[&str]) -> Option<TraceParent> {
    TraceParent::of(headers.iter().map(|header| header.as_bytes()))
}

#[test]
fn parents_that_are_believed() {
    for (header, sampled) in [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", true),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02", false),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-says", true),
        ("fe-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", true),
    ] {
        assert_eq!(read(&[header]), TraceParent::new(TRACE, SPAN, sampled), "{header}");
    }
}

#[test]
fn parents_that_are_not() {
    for header in [
        "",
        "00",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A",
        "0A-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e47360-0f067aa0ba902b7-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473\u{e9}-0f067aa0ba902b7-01",
    ] {
        assert_eq!(read(&[header]), None, "{header}");
    }
}

#[test]
fn two_parents_are_none() {
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(read(&[good, good]), None);
    assert_eq!(read(&[]), None);
}

#[test]
fn what_is_written_is_read_again() {
    for sampled in [false, true] {
        let parent = TraceParent::new(TRACE, SPAN, sampled).expect("ids that are not zero");
        assert_eq!(TraceParent::of([&parent.header()[..]].into_iter()), Some(parent));
    }
    assert_eq!(TraceParent::new(0, SPAN, true), None);
    assert_eq!(TraceParent::new(TRACE, 0, true), None);
}

#[test]
fn baggage_is_added_to_and_never_outgrows() {
    let ours = [("cutover.migration", "profile"), ("cutover.side", "new")];
    let with = |incoming: &[&str]| baggage_with(incoming.iter().copied(), ours.into_iter());
    for (incoming, whole) in [
        (&[][..], "cutover.migration=profile,cutover.side=new"),
        (&["a=1;p=2, b=3"], "a=1;p=2,b=3,cutover.migration=profile,cutover.side=new"),
        (&["a=1", "b=2,"], "a=1,b=2,cutover.migration=profile,cutover.side=new"),
        (&["cutover.side=old, a=1"], "a=1,cutover.migration=profile,cutover.side=new"),
    ] {
        assert_eq!(with(incoming).as_deref(), Some(whole));
    }
    assert_eq!(
        baggage_with([].into_iter(), [("k", "a b,c;d%\u{e9}")].into_iter()).as_deref(),
        Some("k=a%20b%2Cc%3Bd%25%C3%A9")
    );
    let many = vec!["k=v"; MAX_BAGGAGE_MEMBERS - 2].join(",");
    assert!(with(&[&many]).is_some());
    assert_eq!(with(&[&many, "k=v"]), None);
    let room = MAX_BAGGAGE_BYTES - ",cutover.migration=profile,cutover.side=new".len();
    assert!(with(&[&"k".repeat(room)]).is_some());
    assert_eq!(with(&[&"k".repeat(room + 1)]), None);
}
