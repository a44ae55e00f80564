"""Python requests against PyPI's httpbin: through the proxy everything is as in a direct call."""

import importlib.util
import json
import socket
import sys
import threading

import requests

from account import Unfit, same
from stage import Stage, all_to, backend, server

HOST = "httpbin.example"

# Of one connection or one moment, not of the answer; and a proxy may name itself.
NOT_COMPARED = {"connection", "keep-alive", "date", "server"}

# What httpbin echoes of the last hop: what the proxy adds on the way, and `Connection`, which is each hop's own.
OF_THE_HOP = ("connection", "forwarded", "via", "x-forwarded-", "x-real-ip", "x-request-id")

MIB = 1024 * 1024

PATHS = [
    "/anything?a=1&b=%20x&b=2",
    "/get",
    "/headers",
    "/gzip",
    "/deflate",
    "/brotli",
    "/stream/20",
    "/stream-bytes/50000?seed=3&chunk_size=777",
    "/bytes/100000?seed=1",
    "/status/204",
    "/status/304",
    "/status/418",
    "/status/503",
    "/redirect/2",
    "/cookies/set?k=v",
    "/cookies/set?first=1&second=2",
    "/range/1024",
    "/delay/1",
    "/drip?duration=1&numbytes=5&delay=0",
    "/etag/abc",
    "/cache/60",
    "/response-headers?x-one=1&x-two=a%2Cb",
    "/basic-auth/user/secret",
    "/encoding/utf8",
    "/image/png",
    "/xml",
]


def chunks(count, size):
    """A body without a length: requests sends it in chunks."""
    for number in range(count):
        yield bytes([number % 251]) * size


def multipart():
    """Two parts; the boundary that requests would draw at random must be the same in both calls."""
    files = {"file": ("a.bin", b"\x00\x01" * 5000), "note": (None, "text")}
    prepared = requests.Request("POST", "http://x/", files=files, data={"k": "v"}).prepare()
    boundary = prepared.headers["content-type"].split("boundary=")[1].encode()
    headers = {"content-type": "multipart/form-data; boundary=part"}
    return {"data": prepared.body.replace(boundary, b"part"), "headers": headers}


# The arguments are made anew for each call: a generator is used up by the first.
CALLS = [
    ("POST of a form", "POST", "/post", lambda: {"data": {"a": "1", "b": ["2", "3"]}}),
    ("POST of JSON", "POST", "/anything/json", lambda: {"json": {"a": [1, None, "é"]}}),
    ("POST of multipart/form-data", "POST", "/post", multipart),
    ("POST of a generator, chunked", "POST", "/anything", lambda: {"data": chunks(40, 1000)}),
    ("POST of 10 MiB", "POST", "/post", lambda: {"data": b"0123456789abcdef" * (10 * MIB // 16)}),
    ("POST of 10 MiB, chunked", "POST", "/post", lambda: {"data": chunks(160, 65536)}),
    ("PUT of bytes", "PUT", "/put", lambda: {"data": bytes(range(256))}),
    ("PATCH of nothing", "PATCH", "/patch", dict),
    ("DELETE", "DELETE", "/delete?x=1", dict),
    ("HEAD", "HEAD", "/bytes/5000?seed=1", dict),
    ("OPTIONS", "OPTIONS", "/get", dict),
    ("GET of a range", "GET", "/range/1024", lambda: {"headers": {"range": "bytes=100-199"}}),
    ("GET that is not modified", "GET", "/etag/abc", lambda: {"headers": {"if-none-match": "abc"}}),
    ("GET with credentials", "GET", "/basic-auth/user/secret", lambda: {"auth": ("user", "secret")}),
    ("GET with cookies", "GET", "/cookies", lambda: {"cookies": {"a": "1", "b": "x y"}}),
    ("GET of a redirect to itself", "GET", "/absolute-redirect/1", lambda: {"allow_redirects": False}),
]


def tell(account, asked):
    for package in ("gunicorn", "httpbin"):
        if importlib.util.find_spec(package) is None:
            raise Unfit(f"the Python package {package} is not here, and pip could not install it")
    with Stage(asked.program) as stage:
        direct = start_httpbin(stage)
        proxy = stage.proxy(server() + backend("old", direct) + all_to("old"))
        for path in PATHS:
            with account.check(f"GET {path} is as in a direct call"):
                compare(direct, proxy.port, "GET", path, dict)
        for what, method, path, arguments in CALLS:
            with account.check(f"{what} ({path}) is as in a direct call"):
                compare(direct, proxy.port, method, path, arguments)
        with account.check("forwarding headers tell who asked, how and for which host"):
            forwarding(proxy)
        with account.check("eight sessions at once, 25 requests each") as facts:
            many_sessions(proxy, facts)
        with account.check("SIGTERM: the proxy drains and ends with 0"):
            same(proxy.stop(), 0, "exit code")


def start_httpbin(stage):
    """httpbin refuses chunked uploads on any server but gunicorn. That is given a socket, so no port is guessed."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"]
        command += ["--worker-class", "gthread", "--threads", "16", "--keep-alive", "60"]
        command += ["--no-control-socket", "httpbin:app"]
        httpbin = stage.start("httpbin", command, pass_fds=[listener.fileno()])
        httpbin.wait_for("Booting worker")
        return listener.getsockname()[1]


def compare(direct, proxied, method, path, arguments):
    """The same call, once directly and once through the proxy."""
    expected = call(direct, method, path, arguments())
    found = call(proxied, method, path, arguments())
    same([reply.status_code for reply in found], [reply.status_code for reply in expected], "status")
    for ours, theirs in zip(found, expected):
        of = f"of {theirs.status_code} {theirs.request.path_url}"
        same(ours.reason, theirs.reason, f"reason {of}")
        same(headers(ours), headers(theirs), f"headers {of}")
        same(body(ours), body(theirs), f"body {of}")


def call(port, method, path, arguments):
    """Every reply up to the last one, redirects followed."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["host"] = HOST
        url = f"http://127.0.0.1:{port}{path}"
        last = session.request(method, url, timeout=20, **arguments)
        return [*last.history, last]


def headers(reply):
    """All fields but those that may differ; values of one name in their order, names in no order."""
    fields = [(name.lower(), value) for name, value in reply.raw.headers.items()]
    if echo(reply) is not None and reply.request.method != "HEAD":
        # The echo of what the proxy adds makes the body longer. Its length must be right all the same.
        length = reply.raw.headers.get("content-length")
        exact = length is None or "content-encoding" in reply.headers or int(length) == len(reply.content)
        assert exact, f"content-length is {length} and the body has {len(reply.content)}"
        fields = [field for field in fields if field[0] != "content-length"]
    return sorted((field for field in fields if field[0] not in NOT_COMPARED), key=lambda field: field[0])


def body(reply):
    shown = echo(reply)
    if shown is None:
        return reply.content
    for part in shown:
        part.pop("origin", None)
        kept = part["headers"].items()
        part["headers"] = {name: value for name, value in kept if not name.lower().startswith(OF_THE_HOP)}
    return shown


def echo(reply):
    """What httpbin says it received, if this is such a reply: one object, or one a line."""
    if "json" not in reply.headers.get("content-type", ""):
        return None
    texts = reply.content.splitlines() if reply.request.path_url.startswith("/stream/") else [reply.content]
    try:
        shown = [json.loads(text) for text in texts]
    except ValueError:
        return None
    return shown if all("headers" in part for part in shown) else None


def forwarding(proxy):
    asked = {"host": HOST, "x-forwarded-for": "203.0.113.9", "forwarded": "for=203.0.113.9"}
    reply = requests.get(proxy.url("/headers?show_env=1"), headers=asked, timeout=20)
    seen = {name.lower(): value for name, value in reply.json()["headers"].items()}
    same(seen["host"], HOST, "host")
    # The client is not a trusted proxy: what it claims about itself is replaced.
    same(seen["x-forwarded-for"], "127.0.0.1", "x-forwarded-for")
    same(seen["x-forwarded-proto"], "http", "x-forwarded-proto")
    same(seen["x-forwarded-host"], HOST, "x-forwarded-host")
    same(seen["forwarded"], f"for=127.0.0.1;proto=http;host={HOST}", "forwarded")


def many_sessions(proxy, facts):
    statuses = []

    def one_session(number):
        with requests.Session() as session:
            for index in range(25):
                reply = session.get(proxy.url(f"/anything/{number}/{index}"), timeout=20)
                right = reply.status_code == 200 and reply.json()["url"].endswith(f"/{number}/{index}")
                statuses.append(reply.status_code if right else f"{reply.status_code}, of another request")

    threads = [threading.Thread(target=one_session, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(set(statuses), {200}, "statuses")
    same(len(statuses), 200, "replies")
    facts.append(f"{len(statuses)} replies, each to its own request")
