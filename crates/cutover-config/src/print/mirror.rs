//! Prints a migration's `mirror-percent`, `mirror` and `compare`.

use super::{Printed, Table};
use crate::plan::{ComparePlan, MigrationPlan, MirrorPlan, MirrorSample};
use crate::units::{print_duration, print_size};
use cutover_core::compare::{Numbers, Statuses};

pub(super) fn put(table: &mut Table, plan: &MigrationPlan) {
    table.put("mirror-percent", &*plan.mirror.percent.to_string());
    table.put("mirror", mirror(&plan.mirror));
    table.put("compare", compare(&plan.compare));
}

fn mirror(plan: &MirrorPlan) -> Table {
    let mut table = Table::default();
    table.put(
        "sample",
        match plan.sample {
            MirrorSample::Request => "request",
            MirrorSample::User => "user",
        },
    );
    table.put("concurrency", Printed::Count(plan.concurrency as u64));
    table.put("max-body", &*print_size(plan.max_body));
    table.put("max-memory", &*print_size(plan.max_memory));
    table.put("timeout", plan.timeout);
    table
}

fn compare(plan: &ComparePlan) -> Table {
    let rules = &plan.rules;
    let mut table = Table::default();
    table.put_list("ignore", rules.ignore.iter().map(String::as_str));
    table.put_list("include", rules.compare.iter().map(String::as_str));
    table.put_list("unordered", rules.unordered.iter().map(String::as_str));
    table.put_filled("keyed", texts(&rules.keyed));
    table.put_filled("numbers", texts(&rules.numbers));
    let times = rules.times.iter().map(|(path, within)| (path.clone(), print_duration(*within)));
    table.put_filled("times", texts(&times.collect::<Vec<_>>()));
    table.put("null-is-missing", Printed::Flag(rules.null_is_missing));
    table.put(
        "number",
        match rules.number {
            Numbers::Written => "written",
            Numbers::Value => "value",
        },
    );
    table.put(
        "status",
        match rules.status {
            Statuses::Exact => "exact",
            Statuses::Class => "class",
        },
    );
    table.put_list("show", plan.show.iter().map(String::as_str));
    table.put("max-body", &*print_size(plan.max_body));
    table.put("recheck", plan.recheck);
    table.put("noise", &*plan.noise.to_string());
    table
}

fn texts(pairs: &[(String, String)]) -> Table {
    Table(pairs.iter().map(|(name, text)| (name.clone(), text.as_str().into())).collect())
}
