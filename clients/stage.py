"""The stage of a story: a folder, services and the proxy as child processes; all gone when it ends.

Ports are the kernel's choice: a child binds port 0 and says which it got. Only what must come back on the same address
after a kill asks for a `quiet_port`.
"""

import json
import os
import queue
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

SERVICES = Path(__file__).parent / "services"

# No child is waited for any longer.
PATIENCE = 30

NO_WATCH = ("--no-watch",)


class Stage:
    """Use it in a `with`: leaving it stops every child and removes the folder."""

    def __init__(self, program):
        self.program = program
        self.children = []

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cutover-clients-"))
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def service(self, script, *arguments):
        """A Python file of `services`, once it has said `ready PORT`."""
        command = [sys.executable, str(SERVICES / script), *map(str, arguments)]
        child = self.start(script, command)
        child.port = int(re.search(r"ready (\d+)", child.wait_for("ready "))[1])
        return child

    def start(self, name, command, **more):
        child = Child(name, command, cwd=self.folder, **more)
        self.children.append(child)
        return child

    def proxy(self, config, more=NO_WATCH):
        """The proxy with this configuration, ready."""
        self.write(config)
        proxy = Proxy(self.program, self.folder, more)
        self.children.append(proxy)
        proxy.wait_until_ready()
        return proxy

    def write(self, config):
        """Puts a configuration in place at once: nobody reads half of it."""
        half = self.folder / "cutover.half"
        half.write_text(config)
        half.replace(self.folder / "cutover.toml")


class Child:
    """A child process whose output can be waited for."""

    def __init__(self, name, command, **more):
        self.name = name
        self.lines = queue.Queue()
        self.said = []
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            **more,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def wait_for(self, part, patience=PATIENCE):
        """The next line of its output with this in it."""
        while True:
            try:
                line = self.lines.get(timeout=patience)
            except queue.Empty:
                raise AssertionError(f"{self.name} did not say `{part}` in {patience} s, but: {self.tail()}") from None
            if line is None:
                raise AssertionError(f"{self.name} ended without saying `{part}`: {self.tail()}")
            self.said.append(line)
            if part in line:
                return line

    def tail(self):
        return " | ".join(self.said[-5:]) or "nothing"

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """Ends it at once; SIGKILL cannot be refused."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self):
        """Asks it to end; returns its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


class Proxy(Child):
    """`cutover run`."""

    def __init__(self, program, folder, more):
        command = [program, "run", "-c", str(folder / "cutover.toml"), *more]
        environment = {name: value for name, value in os.environ.items() if name != "RUST_LOG"}
        super().__init__("cutover", command, cwd=folder, env=environment)
        self.ports = []
        self.admin = None

    def wait_until_ready(self):
        ports = re.findall(r"https?://127\.0\.0\.1:(\d+)", self.wait_for(" ready: "))
        *self.ports, self.admin = map(int, ports)

    @property
    def port(self):
        return self.ports[0]

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}{path}"

    def ask_admin(self, path, method="GET"):
        """Status and body of an answer of the admin API."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as reply:
            return reply.code, reply.read().decode()

    def metrics(self, name, **labels):
        """The sum of a metric over all lines with these labels."""
        _, text = self.ask_admin("/metrics")
        total = 0.0
        for line in text.splitlines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if found and found[1] == name:
                has = dict(re.findall(r'(\w+)="([^"]*)"', found[2] or ""))
                if all(has.get(label) == value for label, value in labels.items()):
                    total += float(found[3])
        return total

    def reload_by_api(self):
        status, body = self.ask_admin("/admin/v1/config:reload?reason=test", "POST")
        assert status == 200, f"the reload was answered {status}: {body}"
        return json.loads(body)["generation"]

    def reload_by_signal(self):
        self.signal(signal.SIGHUP)
        # Reloads by API are in its log too.
        line = self.wait_for('trigger="signal"')
        assert "configuration reloaded" in line, line


def quiet_port():
    """A free port below those the kernel gives to clients: nobody gets it while its service is dead."""
    for port in random.sample(range(12000, 32000), 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port between 12000 and 32000")


def backend(name, port, more=""):
    return f'[backends.{name}]\naddresses = ["127.0.0.1:{port}"]\n{more}\n'


def all_to(name):
    return f'[[routes]]\npath = "/{{*rest}}"\nbackend = "{name}"\n'


def server(more="", log='"off"'):
    """The part of a configuration that is the same in every story."""
    return (
        f'[server]\nlisten = ["127.0.0.1:0"]\naccess-log = {log}\n{more}\n'
        '[admin]\nlisten = "127.0.0.1:0"\n'
    )


def migration(read_percent, more=""):
    """Reads below `/api` move from `old` to `new`, and are not taken back by themselves: bad days are to last."""
    return (
        '[migrations.trial]\nold = "old"\nnew = "new"\nowner = "test"\nexpires = 2099-01-01\n'
        "gates.rollback = false\n"
        f'read-percent = {read_percent}\nkey = [{{ header = "x-user-id" }}, {{ cookie = "sid" }}]\n'
        f'routes = [{{ path = "/api/{{*rest}}" }}]\n{more}\n'
    )
