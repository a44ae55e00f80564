//! `cutover plugin …`: the day of a plugin's author, from an empty folder to nanoseconds a call.
//!
//! The rules that a component is held to are the host's, so it is the host that is asked here; what this adds is words.
//! `docs/plugins.md` is the guide.

pub(crate) mod args;
mod ask;
mod bench;
mod build;
mod cases;
mod check;
mod comparable;
mod component;
mod new;
mod probe;
mod scene;
mod toolchain;
mod trial;
mod violation;

use crate::args::Output;
use crate::exit::{Exit, print, say};
use args::PluginVerb;
use serde::Serialize;

pub(crate) fn run(verb: &PluginVerb) -> Exit {
    match verb {
        PluginVerb::New(args) => new::new(args),
        PluginVerb::Build(args) => build::build(args),
        PluginVerb::Check(args) => check::check(args),
        PluginVerb::Test(args) => trial::test(args),
        PluginVerb::Bench(args) => bench::bench(args),
    }
}

/// Says what hinders a command, in lines of 80 columns.
fn refuse(what: impl std::fmt::Display) -> Exit {
    say(crate::paragraph::labelled("error: ", &what.to_string()));
    Exit::Failed
}

/// Prints a result for its reader: a program, or a person.
fn show(output: Output, result: &impl Serialize, text: impl FnOnce() -> String) {
    match output {
        Output::Json => print(serde_json::to_string_pretty(result).unwrap_or_default()),
        Output::Text => print(text().trim_end()),
    }
}
