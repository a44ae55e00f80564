//! What cutover costs beside its peers: nginx, HAProxy, Envoy, and a bare Pingora as the limit, one at a time.
//!
//! `make bench-peers`, or `cargo build --release` and `target/release/peers target/release/cutover`. Linux only; needs
//! `taskset`, and `wrk` for the rates of saturation. The proxy under test has core 0 and one worker; backends and load share
//! core 1. Each block of load goes at a fixed rate from an open loop, and asserts every reply's status and size, who answered,
//! each user's constancy and the share of the split. Blocks go A B B A against the bare Pingora's pass-through; the ratio
//! of each pair is taken, and their median with its interval of 95 %. Two bare proxies against each other are the noise: if their
//! interval is wider than 5 % to either side, the run is void and says so.
//!
//! `--full` also has many routes, rewriting, mirroring, reloads under load, connections that rest, and starts.

mod args;
mod configure;
mod find;
mod idle;
mod machine;
mod measure;
mod product;
mod reload;
mod report;
mod scenario;
mod stage;
mod start;
mod svg;

use anyhow::Context as _;
use args::{Args, Mode};
use configure::Setting;
use cutover_benches::e2e::sides::{NEW, OLD};
use cutover_benches::e2e::{backend, bare};
use product::Product;
use report::{Got, Report, Row};
use scenario::Scenario;
use stage::Stage;
use std::io::Write as _;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["backend", listen, "edited"] => backend::serve_edited(listen.parse()?),
        ["backend", listen, "hung"] => backend::hang(listen.parse()?),
        ["backend", listen, side] => {
            let byte = if side == "new" { NEW } else { OLD };
            backend::serve(listen.parse()?, Duration::ZERO, byte)
        }
        ["bare", listen, backend] => bare::serve(listen, backend.parse()?),
        ["load", to, per_second, seconds, scenario] => {
            let lasts = Duration::from_secs(seconds.parse()?);
            let scenario = Scenario::by_word(scenario)?;
            say(&scenario.load(to.parse()?, per_second.parse()?, lasts).send()?.to_string())
        }
        ["turn", ref words @ ..] => say(&reload::load(words)?.to_string()),
        _ => match args::read(&words)? {
            Mode::Help => say(args::HELP),
            Mode::Run(args) => run(&args),
        },
    }
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

fn run(args: &Args) -> anyhow::Result<()> {
    let stage = Stage::set(&std::env::current_exe()?, args.rate, args.seconds)?;
    let products = find::all(args)?;
    let mut report = Report::new(args, &products);
    blocks(args, &stage, &products, &mut report)?;
    if args.full {
        reloads(args, &stage, &products, &mut report)?;
        rests(args, &stage, &products, &mut report)?;
        starts(args, &stage, &products, &mut report)?;
    }
    if args.smoke {
        return say("every reply was right; figures of a smoke are not judged");
    }
    report.write(&args.out)?;
    say(&report.verdict())
}

fn blocks(
    args: &Args,
    stage: &Stage,
    products: &[Product],
    report: &mut Report,
) -> anyhow::Result<()> {
    let bare = Product::bare(&stage.us);
    let control = bare.start(stage, Scenario::Pass, Setting::Usual)?;
    let scenarios = if args.full { &Scenario::ALL[..] } else { &Scenario::FEW };
    for &scenario in scenarios {
        for product in present(products, scenario) {
            let got = match product.cannot(scenario) {
                Some(why) => Got::Not(why),
                None => {
                    let proxy = product.start(stage, scenario, Setting::Usual)?;
                    let measured = stage.compare(args, scenario, &control.pinned, &proxy.pinned);
                    Got::Measured(measured.with_context(|| wrong(scenario.name(), product))?)
                }
            };
            tell(args, scenario.name(), product, &got, measure::Measured::line)?;
            report.add(scenario, product, got);
        }
    }
    Ok(())
}

fn reloads(
    args: &Args,
    stage: &Stage,
    products: &[Product],
    report: &mut Report,
) -> anyhow::Result<()> {
    let place = "a new configuration under load";
    for product in products {
        let Some(how) = product.reload() else { continue };
        let measured = reload::measure(args, stage, product);
        let got = Got::Measured(measured.with_context(|| wrong(place, product))?);
        tell(args, place, product, &got, reload::Reloaded::line)?;
        report.reloads.push((how, Row { name: product.name, got }));
    }
    Ok(())
}

fn rests(
    args: &Args,
    stage: &Stage,
    products: &[Product],
    report: &mut Report,
) -> anyhow::Result<()> {
    let place = "connections that rest";
    for product in present(products, Scenario::Pass) {
        let measured = idle::measure(args, stage, product);
        let got = Got::Measured(measured.with_context(|| wrong(place, product))?);
        tell(args, place, product, &got, idle::Idle::line)?;
        report.idle.push(Row { name: product.name, got });
    }
    Ok(())
}

fn starts(
    args: &Args,
    stage: &Stage,
    products: &[Product],
    report: &mut Report,
) -> anyhow::Result<()> {
    report.start_of_nothing = Some(start::nothing(args)?);
    for scenario in [Scenario::Pass, Scenario::Script] {
        let place = format!("start, {}", scenario.name());
        let mut rows = Vec::new();
        for product in present(products, scenario) {
            let got = match product.cannot(scenario) {
                Some(why) => Got::Not(why),
                None => {
                    let measured = start::measure(args, stage, product, scenario);
                    Got::Measured(measured.with_context(|| wrong(&place, product))?)
                }
            };
            tell(args, &place, product, &got, start::Started::line)?;
            rows.push(Row { name: product.name, got });
        }
        report.starts.push((scenario, rows));
    }
    Ok(())
}

fn present(products: &[Product], scenario: Scenario) -> impl Iterator<Item = &Product> {
    products.iter().filter(move |product| !product.is_absent(scenario))
}

fn wrong(place: &str, product: &Product) -> String {
    format!("{place}: {} does not do what it should", product.name)
}

/// One line as soon as it is known. Of a smoke no figure is told.
fn tell<T>(
    args: &Args,
    place: &str,
    product: &Product,
    got: &Got<T>,
    line: impl Fn(&T) -> String,
) -> anyhow::Result<()> {
    let said = match got {
        Got::Measured(_) if args.smoke => "right".to_owned(),
        Got::Measured(measured) => line(measured),
        Got::Not(why) => format!("not measured: {why}"),
    };
    let name = format!("{place}: {}", product.name);
    say(&format!("{name:<46} {said}"))
}
