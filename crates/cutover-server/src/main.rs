//! The `cutover` binary: arguments to verbs, verbs to exit codes.

mod args;
mod audit;
mod check;
mod client;
mod demo;
mod exit;
mod log;
mod paragraph;
mod plugin_author;
mod run;
mod status;

use args::{AuditVerb, Cli, ConfigVerb, Verb};
use clap::Parser as _;
use exit::{Exit, print};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            // Help and version are answers, not mistakes.
            return if error.use_stderr() { Exit::Usage } else { Exit::Done }.into();
        }
    };
    // The demo tells its own story; it kills a service on purpose.
    let quiet = matches!(cli.verb, Verb::Demo(_)).then_some("error");
    if let Err(error) = log::start(cli.log_level.as_deref().or(quiet)) {
        exit::say(format_args!("error: --log-level: {error}"));
        return Exit::Usage.into();
    }
    let exit = match cli.verb {
        Verb::Run(args) => run::run(&args),
        Verb::Check(args) => check::check(&args.file, args.output),
        Verb::Explain(args) => client::explain(&args),
        Verb::Config { what: ConfigVerb::Schema } => {
            print(cutover::config::schema_text().trim_end());
            Exit::Done
        }
        Verb::Reload(args) => client::reload(&args),
        Verb::Status(args) => status::status(&args),
        Verb::Audit { what: AuditVerb::Verify(args) } => audit::verify(&args),
        Verb::Plugin { what } => plugin_author::run(&what),
        Verb::Demo(args) => demo::demo(&args),
        Verb::DemoService(args) => demo::service(&args),
    };
    exit.into()
}
