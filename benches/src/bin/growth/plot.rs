//! Small diagrams with logarithmic axes: the points, the fitted law through them, and the law in words below.

use crate::curve::{Curve, Unit};
use std::fmt::Write as _;

const COLUMNS: usize = 2;
const PANEL: (f64, f64) = (430.0, 300.0);
/// Around the diagram of a panel: left, top, right, bottom.
const EDGE: (f64, f64, f64, f64) = (64.0, 34.0, 34.0, 66.0);
/// Letters in a line of a law.
const LINE: usize = 66;

pub(crate) fn all(curves: &[Curve]) -> String {
    let mut body = String::new();
    for (number, curve) in curves.iter().enumerate() {
        let (column, row) = (number % COLUMNS, number / COLUMNS);
        let (x, y) = (column as f64 * PANEL.0, row as f64 * PANEL.1);
        let _ = writeln!(body, "<g transform=\"translate({x},{y})\">\n{}</g>", panel(curve));
    }
    let (width, rows) = (COLUMNS as f64 * PANEL.0, curves.len().div_ceil(COLUMNS));
    let height = rows as f64 * PANEL.1;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"how the cost of cutover grows, with the laws fitted to the points\">\n\
         <style>text{{font:12px system-ui,sans-serif;fill:#24292f}}.head{{font-size:13px;font-weight:600}}\
         .tick{{font-size:10px;fill:#57606a}}.law{{font-size:11px}}.end{{text-anchor:end}}.middle{{text-anchor:middle}}\
         .grid{{stroke:#d0d7de;stroke-width:1}}.fit{{fill:none;stroke:#8c959f;stroke-width:1.5;stroke-dasharray:5 4}}\
         .dot{{fill:#0969da}}\
         @media(prefers-color-scheme:dark){{text{{fill:#e6edf3}}.tick{{fill:#9198a1}}.grid{{stroke:#3d444d}}\
         .fit{{stroke:#9198a1}}.dot{{fill:#4493f8}}}}</style>\n{body}</svg>\n"
    )
}

/// The axes of a panel: from and to, as powers of ten.
struct Axes {
    x: (f64, f64),
    y: (f64, f64),
}

impl Axes {
    fn around(curve: &Curve) -> Self {
        let xs = curve.points.iter().map(|(n, _)| (*n as f64).log10());
        let ys = curve.points.iter().map(|(_, y)| y.log10());
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            })
        };
        let (x, y) = (ends(&mut xs.into_iter()), ends(&mut ys.into_iter()));
        // Whole decades, and at least two, or what is flat would look steep.
        let (low, high) = (y.0.floor(), y.1.ceil());
        let y =
            if high - low < 2.0 { (low - 1.0, low + 1.0_f64.max(high - low)) } else { (low, high) };
        Self { x: (x.0, x.1.max(x.0 + 1.0)), y }
    }

    fn place(&self, n: f64, value: f64) -> (f64, f64) {
        let (width, height) = (PANEL.0 - EDGE.0 - EDGE.2, PANEL.1 - EDGE.1 - EDGE.3);
        let part = |at: f64, (from, to): (f64, f64)| (at.log10() - from) / (to - from);
        let down = 1.0 - part(value, self.y);
        (EDGE.0 + part(n, self.x) * width, EDGE.1 + down * height)
    }
}

fn panel(curve: &Curve) -> String {
    let axes = Axes::around(curve);
    let mut body = format!("<text x=\"12\" y=\"20\" class=\"head\">{}</text>\n", curve.title);
    grid(curve, &axes, &mut body);
    let law = curve.fitted();
    let steps = 48;
    let path: Vec<String> = (0..=steps)
        .map(|step| axes.x.0 + (axes.x.1 - axes.x.0) * f64::from(step) / f64::from(steps))
        .map(|power| 10.0_f64.powf(power))
        .map(|n| (n, law.form.at(n)))
        // A line with a negative beginning has no place here before it is positive.
        .filter(|(_, value)| value.log10() >= axes.y.0)
        .map(|(n, value)| {
            let (x, y) = axes.place(n, value);
            format!("{x:.1},{y:.1}")
        })
        .collect();
    let _ = writeln!(body, "<polyline class=\"fit\" points=\"{}\"/>", path.join(" "));
    for (n, value) in &curve.points {
        let (x, y) = axes.place(*n as f64, *value);
        let said = curve.unit.say(*value);
        let _ = writeln!(
            body,
            "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"><title>{n} {}: {said}</title></circle>",
            curve.of
        );
    }
    for (number, line) in wrapped(&curve.law()).iter().enumerate() {
        let y = PANEL.1 - 28.0 + 14.0 * number as f64;
        let _ = writeln!(body, "<text x=\"12\" y=\"{y}\" class=\"law\">{line}</text>");
    }
    body
}

fn grid(curve: &Curve, axes: &Axes, body: &mut String) {
    let (left, right) = (EDGE.0, PANEL.0 - EDGE.2);
    let bottom = PANEL.1 - EDGE.3;
    for power in powers(axes.y) {
        let value = 10.0_f64.powi(power);
        let (_, y) = axes.place(1.0, value);
        let _ = writeln!(
            body,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"tick end\" x=\"{}\" y=\"{:.1}\">{}</text>",
            left - 6.0,
            y + 3.0,
            tick(curve.unit, value)
        );
    }
    for power in powers(axes.x) {
        let n = 10.0_f64.powi(power);
        let (x, _) = axes.place(n, 10.0_f64.powf(axes.y.0));
        let _ = writeln!(
            body,
            "<text class=\"tick middle\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            bottom + 14.0,
            grouped(n as u64)
        );
    }
    let of = curve.of;
    let _ = writeln!(
        body,
        "<text class=\"tick end\" x=\"{right}\" y=\"{:.1}\">{of}</text>",
        bottom + 26.0
    );
}

fn powers((from, to): (f64, f64)) -> std::ops::RangeInclusive<i32> {
    from.ceil() as i32..=to.floor() as i32
}

fn tick(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Instructions => grouped(value as u64),
        Unit::Nanoseconds | Unit::Bytes => unit.say(value).replace(".00", "").replace(".0 ", " "),
    }
}

/// With commas between thousands.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if line.chars().count() + word.chars().count() >= LINE {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(usize, f64)]) -> Curve {
        Curve {
            title: "t",
            of: "routes",
            unit: Unit::Nanoseconds,
            how: "h",
            points: points.to_vec(),
        }
    }

    #[test]
    fn points_lie_inside_and_in_their_order() {
        let curve = curve(&[(1, 120.0), (1_000, 9_000.0), (1_000_000, 4e7)]);
        let axes = Axes::around(&curve);
        let places: Vec<_> = curve.points.iter().map(|(n, y)| axes.place(*n as f64, *y)).collect();
        for (x, y) in &places {
            assert!((EDGE.0..=PANEL.0 - EDGE.2).contains(x), "{places:?}");
            assert!((EDGE.1..=PANEL.1 - EDGE.3).contains(y), "{places:?}");
        }
        assert!(places.is_sorted_by(|a, b| a.0 < b.0 && a.1 > b.1), "{places:?}");
    }

    #[test]
    fn what_is_flat_looks_flat() {
        let axes = Axes::around(&curve(&[(1, 100.0), (10, 104.0)]));
        assert!(axes.y.1 - axes.y.0 >= 2.0, "{:?}", axes.y);
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(wrapped(&"ten letter ".repeat(10)).len(), 2);
    }
}
