//! Prints a migration's `preflight`, `gates`, `steps` and `drill`.

use super::{Printed, Table};
use crate::plan::MigrationPlan;
use cutover_core::evidence::Limits;
use cutover_core::migration::{Course, DrillRule};

pub(super) fn put(table: &mut Table, plan: &MigrationPlan) {
    table.put("preflight", preflight(plan));
    table.put("gates", gates(plan));
    table.put("steps", steps(&plan.course));
    table.put("drill", drill(plan.course.drill, &plan.limits));
}

fn preflight(plan: &MigrationPlan) -> Table {
    let mut table = Table::default();
    let required = plan.course.preflight.iter().map(|gate| (&**gate).into());
    table.put("required", Printed::List(required.collect()));
    table.put("observe", plan.limits.observe);
    table.put("requests", Printed::Count(plan.limits.requests));
    table
}

fn gates(plan: &MigrationPlan) -> Table {
    let (limits, course) = (&plan.limits, &plan.course);
    let mut table = Table::default();
    table.put("errors", &*limits.errors.to_string());
    table.put("fallbacks", &*limits.fallbacks.to_string());
    let latency = f64::from(limits.latency.thousandths()) / 1_000.0;
    table.put("latency", Printed::Number(latency));
    table.put("mismatch", &*limits.mismatch.to_string());
    table.put("coverage", &*limits.coverage.to_string());
    table.put("shed", &*limits.mirror.to_string());
    table.put("silence", course.silence);
    table.put("data", limits.data);
    let required = course.gates.iter().map(|gate| (&**gate).into());
    table.put("required", Printed::List(required.collect()));
    table.put("rollback", Printed::Flag(plan.rollback));
    table
}

fn steps(course: &Course) -> Table {
    let steps = course.steps.all();
    let mut table = Table::default();
    table.put_list("percents", steps.iter().map(|step| Printed::Text(step.percent.to_string())));
    table.put_list("dwell", steps.iter().map(|step| step.dwell));
    table.put("auto", &*course.auto.percent().to_string());
    table.put("shadow-dwell", course.shadow_dwell);
    table.put("soak", course.soak);
    table.put("quiet", course.quiet);
    table.put("approvals", Printed::Count(u64::from(course.approvals)));
    table.put("approval-lasts", course.approval_lasts);
    table.put("graded", course.graded);
    table
}

/// A drill that is not required has no rule; how long one counts is still a limit of evidence.
fn drill(rule: Option<DrillRule>, limits: &Limits) -> Table {
    let mut table = Table::default();
    table.put("required", Printed::Flag(rule.is_some()));
    table.put("good-for", limits.drill);
    if let Some(rule) = rule {
        table.put("within", rule.within);
        table.put("away", rule.away);
    }
    table
}
