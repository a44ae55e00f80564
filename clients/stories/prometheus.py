"""A real Prometheus scrapes a running proxy: what it has counted is what clients have sent, and nothing it reads is
malformed. The alert rules of the documentation are checked and tested by promtool.
"""

import http.client
import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

from account import Unfit, same
from stage import Stage, all_to, backend, migration, quiet_port, server

RULES = Path(__file__).resolve().parents[2] / "docs/prometheus"
REQUESTS = 200
PATIENCE = 30


def tell(account, asked):
    prometheus, promtool = programs(asked.venv.parent / "prometheus")
    with account.check("the alert rules are well-formed, and each fires where it should and nowhere else") as facts:
        facts.append(run([promtool, "check", "rules", "cutover.rules.yml"], cwd=RULES).strip().splitlines()[-1].strip())
        run([promtool, "test", "rules", "cutover.rules.test.yml"], cwd=RULES)
    with Stage(asked.program) as stage:
        ports = [stage.service("quick.py", side).port for side in ("old", "new")]
        sides = backend("old", ports[0]) + backend("new", ports[1])
        proxy = stage.proxy(server() + sides + all_to("old") + migration(50))
        with account.check("promtool finds nothing wrong with the metrics"):
            status, text = metrics(proxy, "text/plain")
            same(status, 200, "status")
            run([promtool, "check", "metrics"], text)
        with account.check(f"Prometheus scrapes it, and has counted the {REQUESTS} requests that were sent") as facts:
            sent = ask(proxy.port)
            port = quiet_port()
            scrape(stage, prometheus, proxy, port)
            counted = until(port, 'sum by (side) (cutover_requests_total{migration="trial"})', sent)
            facts.append(f"old {counted['old']}, new {counted['new']}")
        with account.check("it has every series that says where a migration stands"):
            for name in ("cutover_gate_threshold", "cutover_expiry_timestamp_seconds", "cutover_overlay", "cutover_phase"):
                assert query(port, f'{name}{{migration="trial"}}'), f"no series of {name}"
            same(query(port, "cutover_store_writable")[0]["value"][1], "1", "cutover_store_writable")


def programs(folder):
    """Those of the machine, or of Debian's package, unpacked: installing it would start a service."""
    found = [shutil.which("prometheus"), shutil.which("promtool")]
    if all(found):
        return found
    unpacked = [folder / "usr/bin/prometheus", folder / "usr/bin/promtool"]
    if not all(program.exists() for program in unpacked):
        if shutil.which("apt-get") is None:
            raise Unfit("prometheus is not here (https://prometheus.io/download, or Debian's package prometheus)")
        folder.mkdir(parents=True, exist_ok=True)
        try:
            run(["apt-get", "download", "prometheus"], cwd=folder)
            run(["dpkg-deb", "-x", str(next(folder.glob("prometheus_*.deb"))), str(folder)])
        except (AssertionError, StopIteration) as why:
            raise Unfit(f"Debian's package prometheus could not be had: {why}") from None
    return [str(program) for program in unpacked]


def run(command, text=None, cwd=None):
    done = subprocess.run(
        command, input=text, cwd=cwd, text=True, timeout=120, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, f"{Path(command[0]).name}: {done.stdout[-1500:]}"
    return done.stdout


def metrics(proxy, accept):
    request = urllib.request.Request(f"http://127.0.0.1:{proxy.admin}/metrics", headers={"accept": accept})
    with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
        return reply.status, reply.read().decode()


def ask(port):
    """Sends the requests of as many users; returns who answered how many, as the clients saw it."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    count = {"old": 0, "new": 0}
    for user in range(REQUESTS):
        client.request("GET", "/api/x", headers={"x-user-id": f"user-{user}"})
        reply = client.getresponse()
        same(reply.status, 200, "status")
        count[reply.read().decode().split()[0]] += 1
    assert all(count.values()), f"everybody on one side: {count}"
    return count


def scrape(stage, prometheus, proxy, port):
    config = stage.folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        "scrape_configs:\n"
        f"  - {{job_name: cutover, static_configs: [{{targets: ['127.0.0.1:{proxy.admin}']}}]}}\n"
    )
    stage.start("prometheus", [
        prometheus, f"--config.file={config}", f"--storage.tsdb.path={stage.folder}/tsdb",
        f"--web.listen-address=127.0.0.1:{port}",
    ])  # fmt: skip


def query(port, expression):
    address = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    with urllib.request.urlopen(address, timeout=PATIENCE) as reply:
        return json.load(reply)["data"]["result"]


def until(port, expression, expected):
    """Waits until Prometheus knows what clients know."""
    ends, counted = time.monotonic() + PATIENCE, None
    while time.monotonic() < ends:
        try:
            counted = {row["metric"]["side"]: int(float(row["value"][1])) for row in query(port, expression)}
        except OSError:
            pass  # It does not listen yet.
        if counted == expected:
            return counted
        time.sleep(0.2)
    raise AssertionError(f"Prometheus has {counted}, clients sent {expected}")
