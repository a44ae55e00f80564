"""The dashboard in a real browser, against the real binary with live traffic: clients/browser/dashboard.mjs looks and
clicks, and asks here for what no page can do, such as ending the proxy.

Its packages come from npm by a lock file, into the folder of the build. Pictures of the main pages are left there; with
--screenshots FOLDER they go where the documentation has them.
"""

import http.client
import itertools
import json
import shutil
import subprocess
import threading
from pathlib import Path

from account import Unfit
from stage import Stage, all_to, backend, quiet_port, server

BROWSER = Path(__file__).resolve().parents[1] / "browser"
USERS = 100
PEOPLE = {"ana": "on-call", "ben": "approver", "vera": "viewer"}
# Beside the two that something happens to: the page is to work with fifty.
MORE = 48


def tell(account, asked):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise Unfit("no chromium here (Debian package: chromium)")
    modules = install(asked.venv.parent / "browser")
    pictures = asked.screenshots or asked.venv.parent / "screenshots"
    with Stage(asked.program) as stage, Stage(asked.program) as bare:
        tokens = {name: new_token(stage, name, role) for name, role in PEOPLE.items()}
        sides = [stage.service("profile.py", side).port for side in ("old", "new")]
        proxy = stage.proxy(config(sides, tokens))
        empty = f"{server()}{backend('old', sides[0])}{all_to('old')}"
        empty = empty.replace('"127.0.0.1:0"\n[b', f'"127.0.0.1:{quiet_port()}"\n[b')
        nothing = bare.proxy(empty)
        given = {
            "admin": f"http://127.0.0.1:{proxy.admin}", "data": proxy.url(), "users": USERS, "more": MORE,
            "empty": f"http://127.0.0.1:{nothing.admin}", "chromium": chromium, "pictures": str(pictures),
            "tokens": {name: token["token"] for name, token in tokens.items()}, "modules": str(modules),
        }  # fmt: skip
        with Traffic(proxy.port):
            look(account, given, bare, empty, nothing)


def install(folder):
    """The packages of the lock file, in a folder that is thrown away with the build; nothing is run on install."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(BROWSER / name, folder)
    if shutil.which("npm") is None:
        raise Unfit("npm is not here (Debian packages: nodejs npm)")
    command = ["npm", "ci", "--ignore-scripts", "--engine-strict", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    if done.returncode != 0:
        raise Unfit(f"npm could not install its packages: {done.stdout[-300:]}")
    return folder / "node_modules"


def look(account, given, bare, empty, nothing):
    command = ["node", str(BROWSER / "dashboard.mjs"), json.dumps(given)]
    looker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        for line in map(str.strip, looker.stdout):
            kind, _, what = line.partition(" ")
            if kind == "ok":
                account.passed += 1
                account.say(f"ok      {what}")
            elif kind == "FAILED":
                account.fail(what)
            elif line == "do stop":
                nothing.kill()
                answer(looker)
            elif line == "do start":
                bare.proxy(empty)
                answer(looker)
            else:
                account.say(line)
        if looker.wait(10) != 0:
            account.fail(f"the browser's script ended with {looker.returncode}")
    finally:
        looker.kill()
        looker.wait()


def answer(looker):
    looker.stdin.write("done\n")
    looker.stdin.flush()


def new_token(stage, name, role):
    command = [stage.program, "token", "new", "--name", name, "--role", role, "-o", "json"]
    return json.loads(subprocess.run(command, cwd=stage.folder, check=True, stdout=subprocess.PIPE).stdout)


def config(sides, tokens):
    lines = [server("debug-headers = true"), backend("old", sides[0]), backend("new", sides[1]), all_to("old")]
    lines.append(moving("trial", "/api", 'gates.required = ["freshness"]'))
    lines.append(moving("dates", "/dates", ""))
    lines += [
        f'[migrations.m{number:02}]\nold = "old"\nnew = "new"\nowner = "test"\nexpires = 2099-01-01\n'
        f'key = [{{ header = "x-user-id" }}]\nroutes = [{{ path = "/m{number:02}/{{*rest}}", methods = ["GET"] }}]\n'
        for number in range(MORE)
    ]
    for name, role in PEOPLE.items():
        lines.append(f'[[admin.tokens]]\nname = "{name}"\nrole = "{role}"\nhash = "{tokens[name]["hash"]}"\n')
    return "".join(lines)


def moving(name, path, more):
    """A canary of half of the users, whose times are so short that only evidence and people are waited for."""
    return (
        f'[migrations.{name}]\nold = "old"\nnew = "new"\nowner = "test"\nexpires = 2099-01-01\n'
        f'key = [{{ header = "x-user-id" }}]\nroutes = [{{ path = "{path}/{{*rest}}", methods = ["GET"] }}]\n'
        "gates.rollback = false\nread-percent = 50\nmirror-percent = 50\ncompare.noise = 0\n"
        'steps = { percents = [50, 100], dwell = ["0s", "0s"], soak = "0s", quiet = "0s", approvals = 1 }\n'
        f"drill = {{ required = false }}\n{more}\n"
    )


class Traffic:
    """Users who ask all the time, some hundred times a second."""

    def __init__(self, port):
        self.port = port
        self.stopping = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()

    def run(self):
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        for turn in itertools.count():
            if self.stopping.wait(0.005):
                return
            path = "/dates/7" if turn % 4 == 0 else "/api/7"
            client.request("GET", path, headers={"x-user-id": f"user-{turn % USERS}"})
            client.getresponse().read()
