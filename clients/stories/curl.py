"""curl with the options people use, over HTTP/1.1, HTTP/2 and TLS; and many streams at once by h2load."""

import hashlib
import json
import re
import shutil
import subprocess

from account import Unfit, same
from stage import Stage, all_to, backend, server

MIB = 1024 * 1024

# Of these, each call must be right.
VERSIONS = {
    "HTTP/1.1": ["--http1.1"],
    "HTTP/2 by prior knowledge": ["--http2-prior-knowledge"],
    "HTTP/1.1 over TLS": ["--http1.1", "--tls"],
    "HTTP/2 by ALPN": ["--http2", "--tls"],
}


def tell(account, asked):
    if not shutil.which("curl"):
        raise Unfit("curl is not here (Debian package: curl)")
    with Stage(asked.program) as stage:
        pages = stage.service("pages.py")
        curl = Curl(stage)
        listen, tls = "", curl.make_certificate()
        if tls:
            # Two listeners, and the certificate only for the second.
            listen = '{ address = "127.0.0.1:0", tls = { cert = "cert.pem", key = "key.pem" } }'
        config = server().replace('["127.0.0.1:0"]', f'["127.0.0.1:0", {listen}]')
        curl.proxy = proxy = stage.proxy(config + backend("old", pages.port) + all_to("old"))
        for version, how in VERSIONS.items():
            for what, check in CHECKS.items():
                with account.check(f"curl, {version}: {what}"):
                    fit(how, tls)
                    check(Calls(curl, how))
        with account.check("curl: Expect: 100-continue is answered before the body is sent"):
            expect_is_answered(curl)
        with account.check("curl: a refusal instead of 100 Continue spares the body"):
            refusal_spares_the_body(curl)
        with account.check("curl: --compressed is decoded, and its bytes are those of the service"):
            compressed(curl, pages.port)
        with account.check("h2load: 4,000 requests in 160 streams of 8 connections") as facts:
            many_streams(proxy, facts)
        with account.check("SIGTERM: the proxy drains and ends with 0"):
            same(proxy.stop(), 0, "exit code")


def fit(how, tls):
    if "--tls" in how and not tls:
        raise Unfit("openssl is not here (Debian package: openssl)")
    if "--http2" in " ".join(how):
        known = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
        if "HTTP2" not in known:
            raise Unfit("this curl was built without HTTP/2")


class Curl:
    """Runs curl against the proxy."""

    def __init__(self, stage):
        self.stage = stage
        self.proxy = None
        self.page = None
        self.big = stage.folder / "big"
        self.big.write_bytes(bytes(range(256)) * (5 * MIB // 256))

    def make_certificate(self):
        """A certificate signed by its own key, which curl is told to trust."""
        if not shutil.which("openssl"):
            return False
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-days", "2", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"]
        command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        subprocess.run(command, cwd=self.stage.folder, check=True, capture_output=True, timeout=30)
        return True

    def __call__(self, path, *options):
        """Its whole output: the reply's heads, an empty line, the body."""
        command = ["curl", "--silent", "--show-error", "--include", "--max-time", "20", "--noproxy", "*"]
        base = self.proxy.url(path)
        if "--tls" in options:
            command += ["--cacert", "cert.pem"]
            base = f"https://localhost:{self.proxy.ports[1]}{path}"
        command += [option for option in options if option != "--tls"]
        with self.big.open("rb") as big:
            done = subprocess.run([*command, base], cwd=self.stage.folder, stdin=big, capture_output=True, timeout=30)
        assert done.returncode == 0, f"curl ended with {done.returncode}: {done.stderr.decode().strip()}"
        return Reply(done.stdout)


class Reply:
    """The last head of curl's output, those before it, and the body."""

    def __init__(self, output):
        self.interim = []
        head, self.body = output.split(b"\r\n\r\n", 1)
        while re.match(rb"HTTP/\S+ 1\d\d", head):
            self.interim.append(head)
            head, self.body = self.body.split(b"\r\n\r\n", 1)
        first, *fields = head.decode().split("\r\n")
        self.version, status, *_ = first.split(" ")
        self.status = int(status)
        self.headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}

    def json(self):
        same(self.status, 200, "status")
        return json.loads(self.body)


class Calls:
    """curl with one version of HTTP."""

    def __init__(self, curl, how):
        self.curl = curl
        self.how = how

    def __call__(self, path, *options):
        reply = self.curl(path, *self.how, *options)
        same(reply.version, "HTTP/1.1" if "--http1.1" in self.how else "HTTP/2", "version")
        return reply


def get(call):
    page = call("/page")
    same((page.status, len(page.body)), (200, int(page.headers["content-length"])), "status and length")
    seen = call("/headers", "-H", "x-mine: a", "-H", "x-mine-too: b").json()["headers"]
    same((seen["x-mine"], seen["x-mine-too"]), ("a", "b"), "headers at the service")
    same(seen["x-forwarded-proto"], "https" if "--tls" in call.how else "http", "x-forwarded-proto")


def head(call):
    reply = call("/page", "--head")
    same((reply.status, reply.body), (200, b""), "status and body")
    same(reply.headers["content-length"], call("/page").headers["content-length"], "content-length")


def part(call):
    whole = call("/page").body
    reply = call("/page", "--range", "1000-1999")
    same((reply.status, reply.body), (206, whole[1000:2000]), "status and body")
    same(reply.headers["content-range"], f"bytes 1000-1999/{len(whole)}", "content-range")


def chunked(call):
    """5 MiB whose length nobody says. HTTP/2 has no chunks: there a body from standard input has no length."""
    whole = ["-X", "POST", "-T", "-"]
    if "--http1.1" in call.how:
        whole = ["-H", "transfer-encoding: chunked", "-H", "expect:", "--data-binary", "@big"]
    seen = call("/digest", *whole).json()
    arrived_whole(call, seen)
    framing = {name: seen["headers"].get(name) for name in ["transfer-encoding", "content-length"]}
    same(framing, {"transfer-encoding": "chunked", "content-length": None}, "framing at the service")


def upload(call):
    seen = call("/digest", "-H", "expect:", "--data-binary", "@big").json()
    arrived_whole(call, seen)
    same(seen["headers"].get("content-length"), str(5 * MIB), "content-length at the service")


def arrived_whole(call, seen):
    same(seen["bytes"], 5 * MIB, "bytes at the service")
    same(seen["sha256"], hashlib.sha256(call.curl.big.read_bytes()).hexdigest(), "digest")


CHECKS = {
    "GET": get,
    "HEAD": head,
    "a range": part,
    "an upload of 5 MiB": upload,
    "an upload of 5 MiB of unknown length": chunked,
}


def expect_is_answered(curl):
    # Without an answer curl would wait a minute, and exceed its time.
    expect = ["--http1.1", "-H", "expect: 100-continue", "--expect100-timeout", "60"]
    reply = curl("/digest", *expect, "--data-binary", "@big")
    arrived_whole(Calls(curl, expect), reply.json())
    same([head.split(b"\r\n")[0] for head in reply.interim], [b"HTTP/1.1 100 Continue"], "interim replies")


def refusal_spares_the_body(curl):
    expect = ["--http1.1", "-H", "expect: 100-continue", "--expect100-timeout", "60"]
    reply = curl("/refuse", *expect, "--data-binary", "@big", "--write-out", "sent %{size_upload}")
    same((reply.status, reply.body), (413, b"too much" + b"sent 0"), "status, body and bytes sent")


def compressed(curl, direct):
    plain, encoded = curl("/page").body, curl("/page", "-H", "accept-encoding: gzip")
    same(encoded.headers["content-encoding"], "gzip", "content-encoding")
    decoded = curl("/page", "--compressed").body
    same(decoded, plain, "decoded body")
    command = ["curl", "-s", "--noproxy", "*", "-H", "accept-encoding: gzip", f"http://127.0.0.1:{direct}/page"]
    of_service = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
    # After the gzip header with its time.
    same(encoded.body[10:], of_service[10:], "encoded body")


def many_streams(proxy, facts):
    if not shutil.which("h2load"):
        raise Unfit("h2load is not here (Debian package: nghttp2-client)")
    command = ["h2load", "-n", "4000", "-c", "8", "-m", "20", "-t", "1", proxy.url("/headers")]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "4000 succeeded, 0 failed, 0 errored, 0 timeout" in said, said
    assert "status codes: 4000 2xx" in said, said
    facts.append(re.search(r"finished in \S+, (\S+ req/s)", said)[1])
