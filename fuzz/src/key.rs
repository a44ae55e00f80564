//! Keys, lists, signed headers and buckets.

use arbitrary::{Result, Unstructured};
use cutover_core::key::{KeySource, QaHeader, UserList, cookie, query_param};
use cutover_core::percent::{Bucketing, murmur3_x86_32};
use cutover_core::route::Params;
use cutover_core::{Percent, RequestView, Salt, Side};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

const NAME: &str = "sid";

/// Whatever a client sends, a key is a part of it, and what follows from the key is as published.
pub fn check(data: &[u8]) {
    // Data that ends too early is no case.
    let _ = keys(&mut Unstructured::new(data));
}

fn keys(u: &mut Unstructured<'_>) -> Result<()> {
    let mut headers = HeaderMap::new();
    for _ in 0..u.int_in_range(0..=3)? {
        let name = HeaderName::from_static(u.choose(&["cookie", "x-qa", "x-user-id"])?);
        if let Ok(value) = HeaderValue::from_bytes(u.arbitrary()?) {
            headers.append(name, value);
        }
    }
    let query: &str = u.arbitrary()?;
    let mut request = RequestView::new(&Method::GET, "", "/", &headers);
    request.query = Some(query);
    request.now_ms = u.arbitrary()?;
    assert_eq!(cookie(&request, NAME), naive_cookie(&headers));
    assert_eq!(query_param(request.query, NAME), naive_query(query));
    let sources = [
        KeySource::Header(HeaderName::from_static("x-user-id")),
        KeySource::Cookie(NAME.into()),
        KeySource::Query(NAME.into()),
        KeySource::Path(NAME.into()),
    ];
    let keys = sources.iter().filter_map(|source| source.find(&request, &Params::none()));
    let keys: Vec<&[u8]> = keys.collect();
    assert!(keys.iter().all(|key| !key.is_empty()), "an empty key identifies nobody");
    lists(u, &keys)?;
    signed(u, &request)?;
    buckets(u, &keys)
}

/// The first pair of that name over all lines.
fn naive_cookie(headers: &HeaderMap) -> Option<&[u8]> {
    let lines = headers.get_all("cookie").into_iter().map(HeaderValue::as_bytes);
    let mut pairs = lines.flat_map(|line| line.split(|byte| *byte == b';'));
    let wanted = format!("{NAME}=");
    pairs.find_map(|pair| pair.trim_ascii().strip_prefix(wanted.as_bytes()))
}

fn naive_query(query: &str) -> Option<&[u8]> {
    let pair = query.split('&').find(|pair| pair.split('=').next() == Some(NAME))?;
    Some(pair.split_once('=').map_or("", |(_, value)| value).as_bytes())
}

fn lists(u: &mut Unstructured<'_>, keys: &[&[u8]]) -> Result<()> {
    let users: Vec<&str> = u.arbitrary()?;
    let list: UserList = users.iter().copied().collect();
    let on_it = |key: &[u8]| users.iter().any(|user| user.as_bytes() == key);
    assert!(users.iter().all(|user| list.contains(user.as_bytes())));
    for key in keys {
        assert_eq!(list.contains(key), on_it(key), "{key:?}");
    }
    Ok(())
}

/// No header that a client makes up chooses a side; one that was signed does until it expires, for
/// its own migration.
fn signed(u: &mut Unstructured<'_>, request: &RequestView<'_>) -> Result<()> {
    let name = HeaderName::from_static("x-qa");
    let qa = QaHeader { name: name.clone(), secret: Box::from(&b"0123456789abcdef"[..]) };
    assert_eq!(qa.side("m", request), None, "a forgery passed");
    let side = if u.arbitrary()? { Side::New } else { Side::Old };
    let expiry_s: u64 = u.arbitrary()?;
    let mut headers = HeaderMap::new();
    let value = qa.sign("m", side, expiry_s);
    headers.insert(name, HeaderValue::from_str(&value).expect("it is ASCII"));
    let mut request = *request;
    request.headers = &headers;
    let valid = expiry_s.saturating_mul(1_000) > request.now_ms;
    assert_eq!(qa.side("m", &request), valid.then_some(side));
    assert_eq!(qa.side("n", &request), None);
    Ok(())
}

fn buckets(u: &mut Unstructured<'_>, keys: &[&[u8]]) -> Result<()> {
    let salt: &str = u.arbitrary()?;
    let mut percents: [u32; 2] = u.arbitrary()?;
    percents.sort_unstable();
    let [less, more] = percents.map(Percent::from_thousandths);
    let text: &str = u.arbitrary()?;
    for percent in [Some(less), Some(more), text.parse().ok()].into_iter().flatten() {
        assert!(percent <= Percent::FULL);
        assert_eq!(percent.to_string().parse(), Ok(percent));
    }
    for key in keys {
        let hash = u64::from(murmur3_x86_32(&[salt.as_bytes(), b"\0", key]));
        let bucket = Salt::new(salt).bucket(key);
        assert_eq!(u64::from(bucket.number()), (hash * 100_000) >> 32);
        for bucketing in Bucketing::ALL {
            let bucket = Salt::with_bucketing(salt, bucketing).bucket(key);
            assert!(Percent::FULL.admits(bucket) && !Percent::ZERO.admits(bucket));
            assert!(!less.admits(bucket) || more.admits(bucket), "a user left by growing");
        }
        // The same bytes in other pieces.
        let joined = [salt.as_bytes(), b"\0", key].concat();
        let (head, tail) = joined.split_at(joined.len() / 2);
        assert_eq!(murmur3_x86_32(&[head, tail]), murmur3_x86_32(&[&joined]));
    }
    Ok(())
}
