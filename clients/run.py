#!/usr/bin/env python3
"""Real clients against the real `cutover` binary, from outside.

usage: clients/run.py [--program target/debug/cutover] [--venv target/clients-venv] [--seconds 8] [STORY ...]

Needs only Python; what a story needs beyond that (packages of clients/requirements, curl, wrk, h2load, chromium) it
looks for, and what is not to be had is SKIPPED with the reason. Everything listens on loopback, at ports of the kernel's
choice, and is stopped in the end. A full load test by hand: clients/run.py --seconds 30 kill-new
"""

import argparse
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from account import Account, Unfit

CLIENTS = Path(__file__).resolve().parent
ROOT = CLIENTS.parent

# In this order. A name is a module of `stories`, with `-` for `_`.
STORIES = {
    "httpbin": "python requests and httpbin",
    "curl": "curl, and h2load",
    "gigabyte": "bodies of 1 GiB, in bounded memory",
    "websocket": "WebSocket: Python and a browser",
    "grpc": "gRPC: grpcio on both sides",
    "kill-new": "the new service is killed under load",
    "reloads": "reloads under load",
    "admin-api": "the admin API, by its own description",
    "prometheus": "Prometheus, and its alerts",
    "dashboard": "the dashboard in a browser",
    "bad-days": "dead services, full disks, hostile bytes",
}

# Packages by story: one that cannot be installed takes only its own story with it.
PACKAGES = {"httpbin": "httpbin.txt", "websocket": "websocket.txt", "grpc": "grpc.txt", "admin-api": "admin-api.txt"}

# Beyond what its load asks for, no story may take longer.
STORY_SECONDS = 60


def main():
    asked = arguments()
    if not Path(asked.program).exists():
        sys.exit(f"{asked.program} is not there: cargo build --workspace --locked --bin cutover, or name one with --program")
    enter_venv(asked)
    account = Account()
    for name in asked.stories:
        account.say(f"\n{STORIES[name]}")
        tell(name, account, asked)
    account.say(f"\n{account.closing_line()}")
    sys.exit(1 if account.failed or not account.passed else 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "target/debug/cutover", help="the binary under test")
    parser.add_argument("--venv", type=Path, default=ROOT / "target/clients-venv", help="where Python packages go")
    parser.add_argument("--seconds", type=int, default=8, help="length of the load in kill-new")
    parser.add_argument("--screenshots", type=Path, help="where dashboard leaves its pictures; else beside the venv")
    parser.add_argument("--in-venv", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("stories", nargs="*", metavar="STORY", help=f"any of {', '.join(STORIES)}; all if none is named")
    asked = parser.parse_args()
    for name in asked.stories:
        if name not in STORIES:
            parser.error(f"no story is called {name}; there are: {', '.join(STORIES)}")
    asked.stories = asked.stories or list(STORIES)
    asked.program = asked.program.resolve()
    asked.venv = asked.venv.resolve()
    asked.screenshots = asked.screenshots and asked.screenshots.resolve()
    return asked


def enter_venv(asked):
    """Goes on with the Python of a virtual environment that has the packages, if one can be made."""
    python = asked.venv / "bin/python"
    if asked.in_venv or not set(asked.stories) & set(PACKAGES):
        return
    if not python.exists() and not quietly([sys.executable, "-m", "venv", str(asked.venv)]):
        print(f"no virtual environment could be made at {asked.venv} (Debian package: python3-venv)", flush=True)
        return
    for name in asked.stories:
        if name in PACKAGES:
            install(asked.venv, CLIENTS / "requirements" / PACKAGES[name])
    sys.stdout.flush()
    os.execv(python, [str(python), *sys.argv, "--in-venv"])


def install(venv, wanted):
    """Does nothing if exactly this was installed before. A failure is told by the story that misses its packages."""
    done = venv / wanted.name
    if done.exists() and done.read_text() == wanted.read_text():
        return
    pip = [str(venv / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    if quietly([*pip, "-r", str(wanted)]):
        done.write_text(wanted.read_text())


def quietly(command):
    """Runs a command; its last lines are shown if it fails."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{command[0]}: {error}", flush=True)
        return False
    if done.returncode != 0:
        print("\n".join(done.stdout.splitlines()[-5:]), flush=True)
    return done.returncode == 0


def tell(name, account, asked):
    """Runs one story, which may be unfit for this machine, or hang."""
    limit = STORY_SECONDS + asked.seconds
    signal.signal(signal.SIGALRM, lambda *_: overdue(limit))
    signal.alarm(limit)
    try:
        importlib.import_module("stories." + name.replace("-", "_")).tell(account, asked)
    except Unfit as why:
        account.skip(f"{name}: {why}")
    except ModuleNotFoundError as missing:
        account.skip(f"{name}: the Python package {missing.name} is not here, and pip could not install it")
    except Exception as error:  # noqa: BLE001 the other stories are still worth telling
        account.fail(f"{name}: {type(error).__name__}: {error}")
    finally:
        signal.alarm(0)


def overdue(limit):
    raise TimeoutError(f"not done after {limit} s")


if __name__ == "__main__":
    main()
