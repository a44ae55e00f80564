"""What goes wrong in real life: dead services, unknown hosts, a full disk, hostile bytes. The proxy keeps serving."""

import http.client
import json
import os
import socket
import subprocess
import time

from account import Unfit, same
from stage import PATIENCE, Stage, all_to, backend, migration, quiet_port, server

HOST = "shop.example"


def tell(account, asked):
    with Stage(asked.program) as stage:
        port = quiet_port()
        new = stage.service("quick.py", "new")
        limits = 'header-timeout = "1s"\nmax-header-bytes = "16KiB"\nmax-headers = 50\n'
        routes = all_to("old").replace("backend", f'host = "{HOST}"\nbackend')
        # A host outranks a longer path, so the migration names it too.
        moved = migration(50).replace("path =", f'host = "{HOST}", path =')
        config = server(limits) + backend("old", port) + backend("new", new.port) + routes + moved
        proxy = stage.proxy(config)
        with account.check("old is dead from the start: 502 as problem+json, and new's users are served"):
            old_is_dead(proxy)
        old = stage.service("quick.py", "old", port)
        with account.check("old comes to life: the next requests are served") as facts:
            comes_back(proxy, facts)
        with account.check("old dies again, and again the proxy notices its return") as facts:
            old.kill()
            same(get(proxy, "/x")[0], 502, "status")
            stage.service("quick.py", "old", port)
            comes_back(proxy, facts)
        with account.check("a host or route that nobody has: 404 as problem+json"):
            for path, host in [("/x", "other.example"), ("/", "other.example:80")]:
                status, headers, body = get(proxy, path, host=host)
                problem(status, headers, body, 404)
        for what, check in HOSTILE.items():
            with account.check(what):
                check(proxy)
                same(get(proxy, "/x")[0], 200, "status of a good request afterwards")
        with account.check("500 clients that say nothing and leave: nobody else notices"):
            silent_clients(proxy)
        with account.check("a configuration that is wrong: the reload is refused, with line and remedy"):
            wrong_configuration(stage, proxy, config)
        with account.check("a second proxy at the same port: it says so and ends, the first goes on"):
            port_in_use(stage, proxy, config)
        with account.check("SIGTERM: the proxy drains and ends with 0"):
            same(proxy.stop(), 0, "exit code")
    with Stage(asked.program) as stage, account.check("the access log's disk is full: requests are served") as facts:
        full_disk(stage, facts)
    with Stage(asked.program) as stage, account.check("SIGTERM in the middle of a request: it is finished first"):
        drains(stage)


def get(proxy, path, host=HOST, user="", method="GET"):
    """Status, headers and body of one request on a connection of its own."""
    client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=PATIENCE)
    client.request(method, path, headers={"host": host, **({"x-user-id": user} if user else {})})
    reply = client.getresponse()
    body = reply.read()
    client.close()
    return reply.status, {name.lower(): value for name, value in reply.getheaders()}, body


def problem(status, headers, body, expected):
    same((status, headers.get("content-type")), (expected, "application/problem+json"), "status and type")
    same(headers.get("server"), "cutover", "server")
    told = json.loads(body)
    same(told["status"], expected, "status in the body")
    assert told["title"] and told["id"], told


def old_is_dead(proxy):
    problem(*get(proxy, "/x"), 502)
    problem(*get(proxy, "/x", method="POST"), 502)
    statuses = {get(proxy, "/api/x", user=f"user-{user}")[0] for user in range(40)}
    # Half of the users read from new, whose death would be another story.
    same(statuses, {200, 502}, "statuses of 40 users")


def comes_back(proxy, facts):
    started = time.monotonic()
    while (status := get(proxy, "/x")[0]) != 200:
        assert time.monotonic() - started < 30, f"still {status} after 30 s"
        time.sleep(0.05)
    facts.append(f"after {time.monotonic() - started:.2f} s")
    for _ in range(20):
        same(get(proxy, "/x")[0], 200, "status")


def raw(proxy, sent, patience=PATIENCE):
    """What comes back for these bytes until the proxy closes the connection."""
    with socket.create_connection(("127.0.0.1", proxy.port), patience) as connection:
        received = b""
        try:
            connection.sendall(sent)
            while part := connection.recv(65536):
                received += part
        except ConnectionError:
            pass
        return received


def garbage(proxy):
    """Refused or closed, never answered as if it were a request."""
    hello = bytes.fromhex("16030100a5010000a10303") + os.urandom(154)
    for sent in [b"\x00" * 100, b"hello\r\n\r\n", hello, b"\xff\xfe GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]:
        received = raw(proxy, sent)
        # What never ends a line is waited for, until header-timeout.
        refused = received.startswith((b"HTTP/1.1 400", b"HTTP/1.1 408", b"HTTP/1.1 505"))
        assert not received or refused, f"{sent[:20]!r}: {received[:60]!r}"
    for _ in range(50):
        received = raw(proxy, os.urandom(300) + b"\r\n\r\n")
        assert not received.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5")), received[:60]


def smuggling(proxy):
    """What two servers would read differently is refused, and closes the connection."""
    framings = [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "content-length: 5\r\ncontent-length: 6",
        "transfer-encoding: chunked, gzip",
        "transfer-encoding : chunked",
        "content-length: +5",
    ]
    for framing in framings:
        hidden = "0\r\n\r\nGET /hidden HTTP/1.1\r\nhost: x\r\n\r\n"
        received = raw(proxy, f"POST /x HTTP/1.1\r\nhost: {HOST}\r\n{framing}\r\n\r\n{hidden}".encode())
        assert received.startswith(b"HTTP/1.1 400"), f"{framing!r}: {received[:60]!r}"
        same(received.count(b"HTTP/1.1 "), 1, f"replies to {framing!r}")


def oversized(proxy):
    head = f"GET /x HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n"
    cases = {
        "one large header": f"{head}x-large: {'a' * 20000}\r\n\r\n",
        "a long path": f"GET /{'a' * 20000} HTTP/1.1\r\nhost: {HOST}\r\n\r\n",
        "many headers": head + "".join(f"x-{number}: 1\r\n" for number in range(60)) + "\r\n",
        "an endless header": f"{head}x-large: {'a' * 2_000_000}",
    }
    for what, sent in cases.items():
        received = raw(proxy, sent.encode())
        # Of the endless one the rest is not read, so the reply may be lost to a reset.
        lost = what == "an endless header" and not received
        expected = b"HTTP/1.1 414" if what == "a long path" else b"HTTP/1.1 431"
        assert lost or received.startswith(expected), f"{what}: {received[:60]!r}"
    assert raw(proxy, f"{head}x-fits: {'a' * 15000}\r\n\r\n".encode()).startswith(b"HTTP/1.1 200"), "15,000 bytes fit"


def slowloris(proxy):
    """64 clients send a byte at a time: each is closed by header-timeout, a second after it began."""
    slow = [socket.create_connection(("127.0.0.1", proxy.port), PATIENCE) for _ in range(64)]
    started = time.monotonic()
    for byte in b"GET /x HTTP/1.1\r\nhost: shop.example\r\nx-slow: " + b"a" * 300:
        slow = [client for client in slow if trickle(client, bytes([byte]))]
        same(get(proxy, "/x")[0], 200, "status of a quick client meanwhile")
        if not slow:
            break
        assert time.monotonic() - started < 20, f"{len(slow)} of 64 slow clients are still connected after 20 s"
        time.sleep(0.05)
    same(len(slow), 0, "slow clients that are still connected")


def trickle(client, byte):
    """Sends it; False once the proxy has closed the connection."""
    try:
        client.send(byte)
        client.setblocking(False)
        # A reply (408) may come before the end.
        while client.recv(4096):
            pass
    except BlockingIOError:
        client.setblocking(True)
        return True
    except OSError:
        pass
    client.close()
    return False


HOSTILE = {
    "bytes that are no HTTP, a TLS hello among them": garbage,
    "ambiguous framing: 400, one reply, connection closed": smuggling,
    "headers above the limits: 431, a path: 414": oversized,
    "slowloris: closed by header-timeout, others are served": slowloris,
}


def silent_clients(proxy):
    clients = [socket.create_connection(("127.0.0.1", proxy.port), PATIENCE) for _ in range(500)]
    for _ in range(20):
        same(get(proxy, "/x")[0], 200, "status")
    for client in clients:
        client.close()
    same(get(proxy, "/x")[0], 200, "status")


def wrong_configuration(stage, proxy, config):
    stage.write(config.replace("read-percent", "read-percents"))
    status, body = proxy.ask_admin("/admin/v1/config:reload?reason=test", "POST")
    same(status, 422, "status")
    assert "did you mean `read-percent`" in body and '"line":' in body, f"no remedy in {body}"
    check = [proxy.process.args[0], "check", "cutover.toml"]
    done = subprocess.run(check, cwd=stage.folder, capture_output=True, text=True, timeout=PATIENCE)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "cutover.toml:" in said and "read-percent" in said, f"{done.returncode}: {said}"
    same(get(proxy, "/x")[0], 200, "status by the configuration before")
    stage.write(config)
    proxy.reload_by_signal()


def port_in_use(stage, proxy, config):
    other = stage.folder / "second"
    other.mkdir()
    taken = config.replace('["127.0.0.1:0"]', f'["127.0.0.1:{proxy.port}"]')
    (other / "cutover.toml").write_text(taken)
    second = [proxy.process.args[0], "run", "-c", "cutover.toml"]
    done = subprocess.run(second, cwd=other, capture_output=True, text=True, timeout=PATIENCE)
    said = done.stdout + done.stderr
    assert done.returncode not in (0, 101) and f"127.0.0.1:{proxy.port}" in said, f"{done.returncode}: {said}"
    assert "in use" in said, said
    same(get(proxy, "/x")[0], 200, "status of the first")


def full_disk(stage, facts):
    if not os.path.exists("/dev/full"):
        raise Unfit("this system has no /dev/full")
    old = stage.service("quick.py", "old")
    log = '{ format = "json", path = "/dev/full" }'
    proxy = stage.proxy(server(log=log) + backend("old", old.port) + all_to("old"))
    for _ in range(500):
        same(get(proxy, "/x")[0], 200, "status")
    facts.append(proxy.wait_for("No space left").split("  ")[-1].strip())
    same(proxy.stop(), 0, "exit code")


def drains(stage):
    """A request whose body is still coming when the signal arrives."""
    pages = stage.service("pages.py")
    proxy = stage.proxy(server() + backend("old", pages.port) + all_to("old"))
    with socket.create_connection(("127.0.0.1", proxy.port), PATIENCE) as client:
        client.sendall(b"POST /digest HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n12345")
        # The service has it once the proxy counts it in flight.
        started = time.monotonic()
        while proxy.metrics("cutover_backend_address_in_flight") < 1:
            assert time.monotonic() - started < PATIENCE, f"the request is not under way: {proxy.tail()}"
            time.sleep(0.02)
        proxy.process.terminate()
        proxy.wait_for("draining")
        client.sendall(b"67890")
        received = b""
        while part := client.recv(65536):
            received += part
    assert received.startswith(b"HTTP/1.1 200") and b'"bytes": 10' in received, received[:200]
    same(proxy.process.wait(PATIENCE), 0, "exit code")
