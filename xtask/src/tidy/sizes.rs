//! Long files and long functions. Advice only: length is a question, not an answer.

use super::Finding;
use super::tree::Tree;

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;

pub(super) fn advice(tree: &Tree) -> Vec<Finding> {
    let sources = tree.ending(".rs").filter(|(path, _)| !is_test(path));
    sources.flat_map(|(path, text)| of_file(path, text)).collect()
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.starts_with("tests/") || path.contains("/tests/")
}

fn of_file(path: &str, text: &str) -> Vec<Finding> {
    let lines: Vec<&str> = text.lines().take_while(|line| *line != "#[cfg(test)]").collect();
    let mut advice = Vec::new();
    if lines.len() > FILE_LINES {
        let what = format!("{} lines without tests: look for a seam", lines.len());
        advice.push(Finding::new(path, 0, what));
    }
    for (at, line) in lines.iter().enumerate() {
        let Some(length) = function_length(line, &lines[at + 1..]) else { continue };
        if length > FUNCTION_LINES {
            advice.push(Finding::new(path, at + 1, format!("a function of {length} lines")));
        }
    }
    advice
}

/// Lines of the function that begins here, by indentation: rustfmt puts its `}` under the `fn`'s line.
fn function_length(line: &str, after: &[&str]) -> Option<usize> {
    let code = line.trim_start();
    let signature = code.starts_with("fn ")
        || ["pub ", "pub(", "const fn", "async fn"].iter().any(|start| code.starts_with(start))
            && code.contains("fn ");
    if !signature || line.ends_with(['}', ';']) {
        return None;
    }
    let end = format!("{}}}", &line[..line.len() - code.len()]);
    after.iter().position(|line| **line == *end).map(|at| at + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!("    pub fn long() {{\n{}    }}\n", "        step();\n".repeat(lines - 2))
    }

    #[test]
    fn long_functions_are_told() {
        let text = format!("//! X.\n{}", function(71));
        let told = of_file("a.rs", &text);
        assert_eq!(told, [Finding::new("a.rs", 2, "a function of 71 lines")]);
        assert!(of_file("a.rs", &function(70)).is_empty());
    }

    #[test]
    fn long_files_are_told_and_tests_do_not_count() {
        assert_eq!(of_file("a.rs", &"x\n".repeat(601)).len(), 1);
        let tested = format!("x\n#[cfg(test)]\n{}", "x\n".repeat(700));
        assert!(of_file("a.rs", &tested).is_empty());
        let tree = "x\n".repeat(700);
        assert!(advice(&Tree::of(&[("crates/x/tests/it/main.rs", &tree)])).is_empty());
    }
}
