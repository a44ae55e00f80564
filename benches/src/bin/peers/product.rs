//! The programs: what each can do, and how it is started.

use crate::configure::envoy::Script;
use crate::configure::{Places, Setting, caddy, cutover, envoy, haproxy, nginx, traefik};
use crate::scenario::Scenario;
use crate::stage::Stage;
use crate::start;
use cutover_benches::e2e::process::{Family, Pinned, free_address};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// One program.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    pub(crate) kind: Kind,
    pub(crate) program: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bare,
    Cutover,
    Nginx,
    Haproxy,
    Envoy,
    /// The same program, with scripts in its other language.
    EnvoyWasm,
    Caddy,
    Traefik,
}

/// A program that runs, and what it was told.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) pinned: Pinned,
    folder: PathBuf,
}

impl Product {
    /// A pass-through of Pingora's, with our profile and allocator: this program itself.
    pub(crate) fn bare(us: &Path) -> Self {
        let (version, program) = ("pingora 0.9.1".to_owned(), us.to_owned());
        Self { name: "bare Pingora", version, kind: Kind::Bare, program }
    }

    /// Has it no row in this scenario? The bare one is the measure of the others, and Envoy is there already.
    pub(crate) fn is_absent(&self, scenario: Scenario) -> bool {
        match self.kind {
            Kind::Bare => scenario != Scenario::Pass,
            Kind::EnvoyWasm => !scenario.is_scripted(),
            Kind::Cutover
            | Kind::Nginx
            | Kind::Haproxy
            | Kind::Envoy
            | Kind::Caddy
            | Kind::Traefik => false,
        }
    }

    /// Why it takes no part in this scenario, if it does not.
    pub(crate) fn cannot(&self, scenario: Scenario) -> Option<&'static str> {
        match self.kind {
            Kind::Haproxy if scenario.is_mirrored() => {
                Some("has no mirroring of its own; SPOE hands a copy to a program that one writes")
            }
            Kind::Nginx if scenario.is_scripted() && !Path::new(nginx::LUA).is_file() => {
                Some("its Lua module is not here; Debian package libnginx-mod-http-lua")
            }
            Kind::Caddy | Kind::Traefik if scenario == Scenario::Sticky => {
                Some("its weights keep no user on a side by a header")
            }
            Kind::Caddy if scenario.is_scripted() => Some("its plugins are compiled in"),
            Kind::Traefik if scenario.is_scripted() => Some("its plugins come from its catalogue"),
            Kind::Caddy if scenario.is_mirrored() => Some("has no mirroring"),
            Kind::Bare
            | Kind::Cutover
            | Kind::Nginx
            | Kind::Haproxy
            | Kind::Envoy
            | Kind::EnvoyWasm
            | Kind::Caddy
            | Kind::Traefik => None,
        }
    }

    /// How a configuration is changed while it runs; `None` if it cannot be.
    pub(crate) fn reload(&self) -> Option<&'static str> {
        match self.kind {
            // Caddy wants its admin endpoint for it, and Traefik waits two seconds: not measured.
            Kind::Bare | Kind::EnvoyWasm | Kind::Caddy | Kind::Traefik => None,
            Kind::Cutover => Some("SIGHUP"),
            Kind::Nginx => Some("SIGHUP to the master, as `nginx -s reload` does"),
            Kind::Haproxy => Some("SIGUSR2 to the master of `haproxy -W`"),
            Kind::Envoy => Some("a new file of routes, which it watches (xDS)"),
        }
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn start(
        &self,
        stage: &Stage,
        scenario: Scenario,
        setting: Setting,
    ) -> anyhow::Result<Running> {
        let Running { pinned, folder } = self.spawn(stage, scenario, setting)?;
        let running = Running { pinned: pinned.when_it_listens()?, folder };
        start::ready(&running, scenario)?;
        Ok(running)
    }

    /// Starts it, and waits for nothing.
    pub(crate) fn spawn(
        &self,
        stage: &Stage,
        scenario: Scenario,
        setting: Setting,
    ) -> anyhow::Result<Running> {
        let listen = free_address()?;
        let folder = stage.folder.join(listen.port().to_string());
        std::fs::create_dir_all(&folder)?;
        let (old, new) = stage.backends(scenario);
        let at = Places { listen, old, new, folder: &folder };
        self.write(&at, scenario, setting)?;
        let file = |name: &str| folder.join(name).display().to_string();
        let args: Vec<String> = match self.kind {
            Kind::Bare => vec!["bare".to_owned(), listen.to_string(), old.to_string()],
            Kind::Cutover => {
                for (name, component) in cutover::COMPONENTS {
                    std::fs::write(folder.join(name), component)?;
                }
                words(&["run", "-c", &file(cutover::FILE)])
            }
            Kind::Nginx => {
                let folder = folder.display().to_string();
                words(&["-e", "stderr", "-p", &folder, "-c", &file(nginx::FILE)])
            }
            Kind::Haproxy if setting == Setting::Reloads => {
                words(&["-W", "-db", "-q", "-f", &file(haproxy::FILE)])
            }
            Kind::Haproxy => words(&["-db", "-f", &file(haproxy::FILE)]),
            Kind::Caddy => {
                words(&["run", "--adapter", "caddyfile", "--config", &file(caddy::FILE)])
            }
            Kind::Traefik => traefik::words(&at),
            Kind::Envoy | Kind::EnvoyWasm => {
                if self.kind == Kind::EnvoyWasm {
                    std::fs::write(folder.join(envoy::GUEST_FILE), envoy::GUEST)?;
                }
                let quiet = ["--log-level", "error", "--concurrency", "1", "--disable-hot-restart"];
                words(&[&quiet[..], &["-c", &file(envoy::FILE)]].concat())
            }
        };
        let masters = matches!(self.kind, Kind::Nginx | Kind::Haproxy);
        let family =
            if masters && setting == Setting::Reloads { Family::Master } else { Family::Single };
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let pinned = Pinned::spawn(0, &self.program, &args, listen, family)?;
        Ok(Running { pinned, folder })
    }

    fn write(&self, at: &Places<'_>, scenario: Scenario, setting: Setting) -> anyhow::Result<()> {
        let files = match self.kind {
            Kind::Bare => Vec::new(),
            Kind::Cutover => cutover::files(at, scenario),
            Kind::Nginx => nginx::files(at, scenario, setting),
            Kind::Haproxy => haproxy::files(at, scenario, setting),
            Kind::Envoy => envoy::files(at, scenario, setting, Script::Lua),
            Kind::EnvoyWasm => envoy::files(at, scenario, setting, Script::Wasm),
            Kind::Caddy => caddy::files(at, scenario),
            Kind::Traefik => traefik::files(at, scenario),
        };
        for (name, text) in files {
            std::fs::write(at.folder.join(name), text)?;
        }
        Ok(())
    }

    /// Has it send everything to `backend` from now on, which is one of the stage's.
    pub(crate) fn turn(
        &self,
        stage: &Stage,
        running: &Running,
        backend: SocketAddr,
    ) -> anyhow::Result<()> {
        let Running { pinned, folder } = running;
        let at = Places { listen: pinned.address(), old: backend, new: stage.new, folder };
        if self.kind == Kind::Envoy {
            let cluster = if backend == stage.old { "old" } else { "new" };
            // It sees a file that is moved to its place, and not one that is written.
            let (made, file) = (folder.join("routes.new"), folder.join(envoy::WATCHED));
            std::fs::write(&made, envoy::watched(&at, cluster))?;
            return Ok(std::fs::rename(made, file)?);
        }
        self.write(&at, Scenario::Pass, Setting::Reloads)?;
        pinned.signal(if self.kind == Kind::Haproxy { "USR2" } else { "HUP" })
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
