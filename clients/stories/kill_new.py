"""The new service is killed while wrk asks, and comes back; then it hangs. No client may notice: wrk counts."""

import http.client
import json
import shutil
import signal
import threading
import time

from account import Unfit, same
from stage import PATIENCE, Stage, all_to, backend, migration, quiet_port, server

CONNECTIONS = 64

# Every request is another user's: 2,000 of them, half of whom read from new. wrk counts a status from 400 on.
SCRIPT = """
local requests = {}
init = function()
  for user = 1, 2000 do
    requests[user] = wrk.format("GET", "/api/item/" .. user, { ["x-user-id"] = "user-" .. user, Host = "load.example" })
  end
end
local at = 0
request = function()
  at = at % 2000 + 1
  return requests[at]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'counted {"requests": %d, "status": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d, "p99_ms": %.1f, "max_ms": %.1f}\\n',
    summary.requests, e.status, e.connect, e.read, e.write, e.timeout, latency:percentile(99) / 1000, latency.max / 1000))
end
"""

ERRORS = ["status", "connect", "read", "write", "timeout"]


def tell(account, asked):
    if not shutil.which("wrk"):
        raise Unfit("wrk is not here (Debian package: wrk)")
    with Stage(asked.program) as stage:
        (stage.folder / "users.lua").write_text(SCRIPT)
        old, new = stage.service("quick.py", "old"), Mortal(stage)
        sides = backend("old", old.port) + backend("new", new.port, 'connect-timeout = "250ms"\ntimeout = "1s"')
        log = '{ format = "json", path = "access.log" }'
        proxy = stage.proxy(server(log=log) + sides + all_to("old") + migration(50))
        what = f"wrk, {CONNECTIONS} connections, {asked.seconds} s: new is killed at a third, back at two thirds"
        with account.check(what) as facts:
            counted = load(stage, proxy, asked.seconds, new.kill, new.start, facts)
        with account.check("the proxy's own counts agree: old stepped in, no reply was an error") as facts:
            agrees(proxy, counted["requests"], facts)
        with account.check("new serves its users again, without anybody's help") as facts:
            comes_back(proxy, facts)
        with account.check("wrk, 3 s: new hangs instead (SIGSTOP), and old answers in its place") as facts:
            load(stage, proxy, 3, new.hang, new.go_on, facts)
        with account.check("every request has its line in the access log"):
            same(logged(stage, proxy), True, "as many lines as requests")
        with account.check("SIGTERM: the proxy drains and ends with 0"):
            same(proxy.stop(), 0, "exit code")


class Mortal:
    """The new service, which always comes back at the same address."""

    def __init__(self, stage):
        self.stage = stage
        self.port = quiet_port()
        self.start()

    def start(self):
        self.child = self.stage.service("quick.py", "new", self.port)

    def kill(self):
        self.child.kill()

    def hang(self):
        self.child.signal(signal.SIGSTOP)

    def go_on(self):
        self.child.signal(signal.SIGCONT)


def load(stage, proxy, seconds, at_a_third, at_two_thirds, facts):
    """Runs wrk, and acts meanwhile; gives wrk's account, which must be free of errors."""
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", "users.lua", "--timeout", "5s"]
    acted = []

    def act():
        for what in (at_a_third, at_two_thirds):
            time.sleep(seconds / 3)
            what()
            acted.append(what)

    director = threading.Thread(target=act)
    director.start()
    wrk = stage.start("wrk", [*command, proxy.url()])
    line = wrk.wait_for("counted ", seconds + PATIENCE)
    director.join()
    same(len(acted), 2, "acts that succeeded")
    counted = json.loads(line.removeprefix("counted "))
    facts.append("{requests} requests, none failed, p99 {p99_ms} ms, longest {max_ms} ms".format(**counted))
    same({name: counted[name] for name in ERRORS}, dict.fromkeys(ERRORS, 0), "errors that wrk counted")
    return counted


def agrees(proxy, answered, facts):
    name = "cutover_requests_total"
    served, spared = proxy.metrics(name), proxy.metrics(name, role="breaker")
    fallbacks, opened = proxy.metrics("cutover_fallback_total"), proxy.metrics("cutover_breaker_opened_total")
    assert served >= answered, f"{served:.0f} requests counted, {answered} answered"
    for code_class in ["3xx", "4xx", "5xx", "broken"]:
        same(proxy.metrics(name, code_class=code_class), 0.0, f"replies of class {code_class}")
    # Clients leave in the middle of a request only when wrk ends.
    gone = proxy.metrics(name, code_class="gone")
    assert gone <= CONNECTIONS, f"{gone:.0f} clients left, but there were {CONNECTIONS}"
    assert fallbacks > 0 and opened > 0, f"{fallbacks:.0f} fallbacks, breaker opened {opened:.0f} times"
    facts.append(f"old answered {fallbacks:.0f} reads for new, {spared:.0f} of them without an attempt: breaker open")


def comes_back(proxy, facts):
    """The breaker lets one read try new: 5 s after it opened, then 10 s after that, then 20 s."""
    started, client = time.monotonic(), http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=PATIENCE)
    while served_by_new(client) < 50:
        assert time.monotonic() - started < 45, "new has served nobody for 45 s"
        time.sleep(0.1)
    client.close()
    facts.append(f"{time.monotonic() - started:.1f} s after the load")


def served_by_new(client):
    """Of 200 users."""
    bodies = []
    for user in range(200):
        client.request("GET", f"/api/{user}", headers={"x-user-id": f"user-{user}"})
        reply = client.getresponse()
        bodies.append(reply.read())
        same(reply.status, 200, "status")
    return sum(body.startswith(b"new") for body in bodies)


def logged(stage, proxy):
    """Lines are written behind the requests; waits for the last of them."""
    for _ in range(100):
        requests = proxy.metrics("cutover_requests_total")
        with (stage.folder / "access.log").open("rb") as log:
            lines = sum(1 for _ in log)
        dropped = proxy.metrics("cutover_access_log_dropped_total")
        if lines + dropped == requests:
            return True
        time.sleep(0.1)
    raise AssertionError(f"{lines} lines, {dropped:.0f} dropped, {requests:.0f} requests")
