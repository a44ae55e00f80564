//! The `cutover` binary: arguments to verbs, verbs to exit codes.

mod admin_api;
mod args;
mod audit;
mod audit_log;
mod check;
mod client;
mod credentials;
mod demo;
mod differences;
mod exit;
mod log;
mod new_token;
mod order;
mod paragraph;
mod plugin_author;
mod run;
mod status;

use args::{AuditVerb, Cli, ConfigVerb, TokenVerb, Verb};
use clap::Parser as _;
use exit::{Exit, print};
use order::Order;
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
    run_verb(cli.verb).into()
}

fn run_verb(verb: Verb) -> Exit {
    match verb {
        Verb::Run(args) => run::run(&args),
        Verb::Check(args) => check::check(&args.file, args.output),
        Verb::Explain(args) => client::explain(&args),
        Verb::Config { what: ConfigVerb::Schema } => {
            print(cutover::config::schema_text().trim_end());
            Exit::Done
        }
        Verb::Reload(args) => client::reload(&args),
        Verb::List(args) => status::list_all(&args),
        Verb::Status(args) => status::status(&args),
        Verb::Audit(args) => match args.what {
            Some(AuditVerb::Verify(args)) => audit::verify(&args),
            Some(AuditVerb::Export(args)) => audit_log::export(&args),
            None => audit_log::audit(&args),
        },
        Verb::Diff(args) => differences::diff(&args),
        Verb::Ignore(args) => Order::rule(":ignore", &args).give(),
        Verb::Unignore(args) => Order::rule(":unignore", &args).give(),
        Verb::Plan(args) => Order::plan(&args).give(),
        Verb::Promote(args) => Order::promote(&args).give(),
        Verb::SetWeight(args) => Order::set_weight(&args).give(),
        Verb::MirrorTraffic(args) => Order::mirror_traffic(&args).give(),
        Verb::Pause(args) => Order::plain(":pause", &args).give(),
        Verb::Freeze(args) => Order::plain(":freeze", &args).give(),
        Verb::Resume(args) => Order::plain(":resume", &args).give(),
        Verb::Rollback(args) => Order::rollback(&args).give(),
        Verb::Abort(args) => Order::plain(":abort", &args).give(),
        Verb::Retry(args) => Order::plain(":retry", &args).give(),
        Verb::Approve(args) => Order::opinion(true, &args).give(),
        Verb::Reject(args) => Order::opinion(false, &args).give(),
        Verb::SwitchTraffic(args) => Order::switch(&args).give(),
        Verb::ReverseTraffic(args) => Order::reverse(&args).give(),
        Verb::Complete(args) => Order::complete(&args).give(),
        Verb::Drill(args) => Order::plain(":drill", &args).give(),
        Verb::Token { what: TokenVerb::New(args) } => new_token::new_token(&args),
        Verb::Plugin { what } => plugin_author::run(&what),
        Verb::Demo(args) => demo::demo(&args),
        Verb::DemoService(args) => demo::service(&args),
    }
}
