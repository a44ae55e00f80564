//! Bars, readable on light and on dark paper.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 130.0;
const BAR: f64 = 18.0;
const STEP: f64 = 26.0;

/// One block of bars.
pub(crate) struct Group {
    pub(crate) title: String,
    /// Groups of one unit have one scale.
    pub(crate) unit: &'static str,
    /// What the bars are.
    pub(crate) what: &'static str,
    pub(crate) bars: Vec<Bar>,
}

pub(crate) struct Bar {
    pub(crate) name: &'static str,
    /// `None`: it was not measured.
    pub(crate) value: Option<f64>,
}

/// All groups; below them whether they may be believed, since pictures travel without their texts.
pub(crate) fn chart(groups: &[Group], verdict: &str) -> String {
    let mut body = String::new();
    let mut y = 20.0;
    for Group { title, unit, what, bars } in groups {
        let same = groups.iter().filter(|group| group.unit == *unit);
        let values = same.flat_map(|group| group.bars.iter().filter_map(|bar| bar.value));
        let scale = (WIDTH - LEFT - 90.0) / values.fold(1.0, f64::max);
        let _ = writeln!(
            body,
            "<text x=\"0\" y=\"{y}\"><tspan class=\"head\">{title}</tspan>\
             <tspan dx=\"8\" class=\"note\">{what}</tspan></text>"
        );
        y += 12.0;
        for Bar { name, value } in bars {
            let class = if *name == "cutover" { "ours" } else { "theirs" };
            let (width, middle) = (value.unwrap_or(0.0) * scale, y + BAR * 0.72);
            let said = value.map_or_else(
                || "not measured".to_owned(),
                |value| format!("{value:.*} {unit}", if value < 100.0 { 1 } else { 0 }),
            );
            let _ = writeln!(
                body,
                "<text x=\"{}\" y=\"{middle}\" class=\"name\">{name}</text>\
                 <rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\" class=\"{class}\"/>\
                 <text x=\"{:.1}\" y=\"{middle}\">{said}</text>",
                LEFT - 8.0,
                LEFT + width + 6.0,
            );
            y += STEP;
        }
        y += 18.0;
    }
    let _ = writeln!(body, "<text x=\"0\" y=\"{y}\" class=\"note\">{verdict}</text>");
    y += 14.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" role=\"img\" \
         aria-label=\"cutover beside its peers; less is better\">\n\
         <style>text{{font:13px system-ui,sans-serif;fill:#24292f}}.head{{font-weight:600}}\
         .name{{text-anchor:end}}.note{{font-size:11px}}.theirs{{fill:#8c959f}}.ours{{fill:#0969da}}\
         @media(prefers-color-scheme:dark){{text{{fill:#e6edf3}}.theirs{{fill:#6e7681}}.ours{{fill:#4493f8}}}}\
         </style>\n{body}</svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unit_has_one_scale() {
        let group = |unit, value| Group {
            title: "t".to_owned(),
            unit,
            what: "w",
            bars: vec![Bar { name: "cutover", value: Some(value) }],
        };
        let drawn = chart(&[group("µs", 50.0), group("µs", 100.0), group("ms", 10.0)], "it stands");
        let widths: Vec<&str> =
            drawn.split(" width=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(widths, ["250.0", "500.0", "500.0"]);
    }
}
