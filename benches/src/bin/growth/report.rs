//! Tables with their laws for people, the same for programs, and a picture.

use crate::curve::Curve;
use crate::fit::Form;
use crate::plot::{self, grouped};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

pub(crate) fn write(out: &Path, curves: &[Curve]) -> anyhow::Result<()> {
    std::fs::create_dir_all(out)?;
    std::fs::write(out.join("growth.svg"), plot::all(curves))?;
    std::fs::write(out.join("growth.md"), markdown(curves))?;
    let values: Vec<Value> = curves.iter().map(value).collect();
    std::fs::write(out.join("growth.json"), serde_json::to_string_pretty(&values)? + "\n")?;
    Ok(())
}

fn markdown(curves: &[Curve]) -> String {
    let mut text = String::from(
        "# How cost grows\n\n![every subject with its law](growth.svg)\n\n\
         Each law is fitted to the points of its table, by least squares of the logarithm of fitted over measured: the simplest \
         of a constant, `a + b·ln n`, `a + b·n` and `a·n^k` that is within a tenth of the best. \"Off by\" is how far it \
         typically is from a point, so that one sees when none of them fits. Times are the fastest of several, with a counting \
         allocator in the process, which makes what allocates a little slower.\n",
    );
    for curve in curves {
        let _ = write!(text, "\n## {}\n\n{}.\n\n| {} |", curve.title, curve.how, curve.of);
        for (n, _) in &curve.points {
            let _ = write!(text, " {} |", grouped(*n as u64));
        }
        let _ = write!(text, "\n|---|{}\n| |", "---|".repeat(curve.points.len()));
        for (_, y) in &curve.points {
            let _ = write!(text, " {} |", curve.unit.say(*y));
        }
        let _ = write!(text, "\n\nLaw: {}.\n", curve.law());
    }
    text
}

fn value(curve: &Curve) -> Value {
    let law = curve.fitted();
    let form = match law.form {
        Form::Constant(value) => json!({ "form": "a", "a": value }),
        Form::Logarithm { at_one, each_e } => {
            json!({ "form": "a + b ln n", "a": at_one, "b": each_e })
        }
        Form::Line { fixed, each } => json!({ "form": "a + b n", "a": fixed, "b": each }),
        Form::Power { at_one, exponent } => json!({ "form": "a n^k", "a": at_one, "k": exponent }),
    };
    let unit = format!("{:?}", curve.unit).to_lowercase();
    json!({
        "title": curve.title, "of": curve.of, "unit": unit, "points": curve.points, "law": form,
        "error": law.error, "slope": law.slope,
    })
}
