//! The project's own tasks: `cargo xtask ci`, `cargo xtask tidy`, `cargo xtask plugins`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task runner talks to a person")]

mod bench;
mod ci;
mod fuzz;
mod plugins;
mod process;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask TASK

  ci [--only STEP]... [--from STEP] [--list]
                    what CI runs, in its order, up to the first failure
  plugins [--check] [--install] [NAME]...
                    builds the plugins into plugins/dist, or checks what is committed there
  bench [--check | --update]
                    counts instructions per decision, and holds them against benches/counts.json
  fuzz [--seconds N] [TARGET]...
                    feeds whatever arrives from outside with anything, for a minute each
  tidy              rules that no compiler checks: arrows, names, docs, licences
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = args.split_first().map_or(("help", &args[..]), |(t, r)| (t.as_str(), r));
    let result = match task {
        "bench" => bench::run(rest),
        "ci" => ci::run(rest),
        "fuzz" => fuzz::run(rest),
        "plugins" => plugins::run(rest),
        "tidy" => tidy::run(),
        "help" | "-h" | "--help" => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("xtask: no task is called `{task}`\n\n{USAGE}");
            return ExitCode::from(64);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {task}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
