//! Reads a migration's `mirror` and `compare`. Rules are compiled here to find what is wrong with them; what is kept is
//! what was written.

use crate::place::Span;
use crate::plan::{ComparePlan, MirrorPlan, MirrorSample};
use crate::reader::{Item, Pattern, Reader, Size};
use crate::units::parse_duration;
use cutover_core::Percent;
use cutover_core::compare::{Numbers, Redaction, RuleFinding, RuleSpec, Rules, Statuses};
use std::time::Duration;

pub(super) fn mirror(percent: Percent, reader: &Reader<'_>) -> MirrorPlan {
    let max_body = reader.get_or_default::<Size>("max-body").value.0;
    let max_memory = reader.get_or_default::<Size>("max-memory");
    if max_memory.value.0 < max_body {
        let what = "has no room for one body of max-body";
        let help = "raise max-memory, or lower max-body";
        reader.error("max-memory", max_memory.span, what, help);
    }
    MirrorPlan {
        percent,
        sample: reader.choice("sample", &[MirrorSample::Request, MirrorSample::User]),
        concurrency: reader.get_or_default::<u64>("concurrency").value as usize,
        max_body,
        max_memory: max_memory.value.0,
        timeout: reader.get_or_default::<Duration>("timeout").value,
    }
}

pub(super) fn compare(reader: &Reader<'_>) -> ComparePlan {
    let mut places = Places::default();
    let rules = RuleSpec {
        ignore: texts(reader, "ignore", "ignore", &mut places),
        compare: texts(reader, "include", "compare", &mut places),
        unordered: texts(reader, "unordered", "unordered", &mut places),
        keyed: pairs(reader, "keyed", &mut places),
        numbers: pairs(reader, "numbers", &mut places),
        times: times(reader, &mut places),
        null_is_missing: reader.get_or_default("null-is-missing").value,
        number: reader.choice("number", &[Numbers::Written, Numbers::Value]),
        status: reader.choice("status", &[Statuses::Exact, Statuses::Class]),
    };
    let show = texts(reader, "show", "clear", &mut places);
    let findings = [Rules::compile(&rules).err(), Redaction::new(&[], &show).err()];
    for finding in findings.into_iter().flatten().flatten() {
        places.tell(reader, &finding);
    }
    ComparePlan {
        rules,
        show,
        max_body: reader.get_or_default::<Size>("max-body").value.0,
        recheck: reader.get_or_default::<Duration>("recheck").value,
        noise: reader.get_or_default::<Percent>("noise").value,
    }
}

/// Rules that stand in tables, not in lists.
const TABLES: [&str; 3] = ["keyed", "numbers", "times"];

/// Where each rule stands: the list as the rules call it and as the file does, and its entries.
#[derive(Default)]
struct Places(Vec<(&'static str, &'static str, Vec<Span>)>);

impl Places {
    fn tell(&self, reader: &Reader<'_>, finding: &RuleFinding) {
        let list = self.0.iter().find(|(list, ..)| *list == finding.list);
        let span = list.and_then(|(.., spans)| spans.get(finding.index)).copied();
        let key = list.map_or(finding.list, |(_, key, _)| key);
        let key = match TABLES.contains(&key) {
            true => format!("{}.{key}", reader.path),
            false => format!("{}.{key}[{}]", reader.path, finding.index),
        };
        let what = format!("{:?}: {}", finding.rule, finding.what);
        reader.sink.error(span.unwrap_or(reader.span), key, what, &finding.help);
    }
}

fn texts(
    reader: &Reader<'_>,
    key: &'static str,
    list: &'static str,
    places: &mut Places,
) -> Vec<String> {
    let found = reader.list::<Pattern>(key).map(|at| at.value).unwrap_or_default();
    places.0.push((list, key, found.iter().map(|at| at.span).collect()));
    found.into_iter().map(|at| at.value.0).collect()
}

/// The entries of a table of texts, with what each leads to.
fn entries<T>(
    reader: &Reader<'_>,
    key: &'static str,
    places: &mut Places,
    read: impl Fn(&Item<'_>, &str) -> Option<T>,
) -> Vec<(String, T)> {
    let (mut all, mut spans) = (Vec::new(), Vec::new());
    let item = reader.item(key);
    for (name, entry) in item.iter().filter_map(Item::entries).flatten() {
        let Some(text) = entry.value.as_str() else {
            entry.error("must be a text", "write \"PATH\" = \"…\"");
            continue;
        };
        if let Some(value) = read(&entry, text) {
            all.push((name.value.to_owned(), value));
            spans.push(name.span);
        }
    }
    places.0.push((key, key, spans));
    all
}

fn pairs(reader: &Reader<'_>, key: &'static str, places: &mut Places) -> Vec<(String, String)> {
    entries(reader, key, places, |_, text| Some(text.to_owned()))
}

fn times(reader: &Reader<'_>, places: &mut Places) -> Vec<(String, Duration)> {
    entries(reader, "times", places, |entry, text| {
        let parsed = parse_duration(text).ok();
        if parsed.is_none() {
            entry.error(format_args!("{text:?} is not a duration"), "write \"1s\" or \"500ms\"");
        }
        parsed
    })
}
