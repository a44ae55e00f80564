//! CPU per request as bars, readable on light and on dark paper.

use crate::Row;
use crate::scenario::Scenario;
use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 130.0;
const BAR: f64 = 18.0;
const STEP: f64 = 26.0;

/// One block of bars for each scenario, all on one scale; below them whether they may be believed, since pictures travel
/// without their texts.
pub(crate) fn chart(rows: &[Row], verdict: &str) -> String {
    let most = rows.iter().map(|(.., m)| m.cpu_us).fold(1.0, f64::max);
    let scale = (WIDTH - LEFT - 90.0) / most;
    let mut body = String::new();
    let mut y = 20.0;
    for scenario in Scenario::ALL {
        let _ = writeln!(body, "<text x=\"0\" y=\"{y}\" class=\"head\">{}</text>", scenario.name());
        y += 12.0;
        for (_, name, m) in rows.iter().filter(|(of, ..)| *of == scenario) {
            let class = if name == "cutover" { "ours" } else { "theirs" };
            let (width, middle) = (m.cpu_us * scale, y + BAR * 0.72);
            let _ = writeln!(
                body,
                "<text x=\"{}\" y=\"{middle}\" class=\"name\">{name}</text>\
                 <rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\" class=\"{class}\"/>\
                 <text x=\"{:.1}\" y=\"{middle}\">{:.1} µs</text>",
                LEFT - 8.0,
                LEFT + width + 6.0,
                m.cpu_us
            );
            y += STEP;
        }
        y += 18.0;
    }
    let _ = writeln!(
        body,
        "<text x=\"0\" y=\"{y}\" class=\"note\">µs of CPU per request; {verdict}</text>"
    );
    y += 14.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" role=\"img\" \
         aria-label=\"CPU time per request, microseconds, less is better\">\n\
         <style>text{{font:13px system-ui,sans-serif;fill:#24292f}}.head{{font-weight:600}}\
         .name{{text-anchor:end}}.note{{font-size:11px}}.theirs{{fill:#8c959f}}.ours{{fill:#0969da}}\
         @media(prefers-color-scheme:dark){{text{{fill:#e6edf3}}.theirs{{fill:#6e7681}}.ours{{fill:#4493f8}}}}\
         </style>\n{body}</svg>\n"
    )
}
