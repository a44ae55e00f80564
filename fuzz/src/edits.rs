//! Edits of headers and paths, against lists that are edited by hand.

use arbitrary::{Result, Unstructured};
use cutover_core::edit::{HeaderEdits, PathEdit};
use http::{HeaderMap, HeaderName, HeaderValue};

type Pairs = Vec<(HeaderName, HeaderValue)>;

/// Headers and a path after any edits are what removing, replacing and adding by hand gives.
pub fn check(data: &[u8]) {
    // Data that ends too early is no case.
    let _ = edit(&mut Unstructured::new(data));
}

fn edit(u: &mut Unstructured<'_>) -> Result<()> {
    let mut headers = HeaderMap::new();
    let mut by_hand = pairs(u)?;
    for (name, value) in &by_hand {
        headers.append(name, value.clone());
    }
    let remove: Vec<HeaderName> = pairs(u)?.into_iter().map(|(name, _)| name).collect();
    let (set, append) = (pairs(u)?, pairs(u)?);
    let edits = HeaderEdits {
        remove: remove.clone().into(),
        set: set.clone().into(),
        append: append.clone().into(),
    };
    edits.apply(&mut headers);
    by_hand.retain(|(name, _)| !remove.contains(name));
    for (name, value) in set {
        by_hand.retain(|(other, _)| *other != name);
        by_hand.push((name, value));
    }
    by_hand.extend(append);
    assert_eq!(headers.len(), by_hand.len());
    for name in headers.keys() {
        let expected: Vec<&HeaderValue> =
            by_hand.iter().filter(|(other, _)| other == name).map(|(_, value)| value).collect();
        assert_eq!(headers.get_all(name).iter().collect::<Vec<_>>(), expected, "{name}");
    }
    path(u)
}

fn pairs(u: &mut Unstructured<'_>) -> Result<Pairs> {
    let names = ["host", "set-cookie", "x-a", "x-b", "cookie"];
    let mut pairs = Vec::new();
    for _ in 0..u.int_in_range(0..=4)? {
        let name = HeaderName::from_static(u.choose(&names)?);
        if let Ok(value) = HeaderValue::from_bytes(u.arbitrary()?) {
            pairs.push((name, value));
        }
    }
    Ok(pairs)
}

fn path(u: &mut Unstructured<'_>) -> Result<()> {
    let mut segments = || -> Result<String> {
        let count = u.int_in_range(0..=3)?;
        (0..count).map(|_| Ok(format!("/{}", u.choose(&["a", "ab", "", "%41"])?))).collect()
    };
    let prefix = |text: String| text.trim_end_matches('/').to_owned();
    let (strip, add) = (prefix(segments()?), prefix(segments()?));
    let path = segments()? + "/x";
    let path = if strip.len() % 2 == 0 { path } else { format!("{strip}{path}") };
    let some = |text: &str| (!text.is_empty()).then(|| text.into());
    let edit = PathEdit { strip_prefix: some(&strip), add_prefix: some(&add) };
    let forwarded = edit.apply(&path);
    let inside = path == strip || path.starts_with(&format!("{strip}/"));
    let kept = if inside { &path[strip.len()..] } else { &path[..] };
    let kept = if kept.is_empty() { "/" } else { kept };
    assert_eq!(forwarded, format!("{add}{kept}"), "{edit:?} of {path}");
    assert!(forwarded.starts_with('/'));
    Ok(())
}
