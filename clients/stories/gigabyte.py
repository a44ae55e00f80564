"""Bodies of 1 GiB each way, over HTTP/1.1 and HTTP/2: whole, and through a proxy that never holds much of them."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

from account import Unfit, same
from stage import Stage, all_to, backend, server

MIB = 1024 * 1024
GIB_IN_MIB = 1024
BLOCK = bytes(range(256)) * (MIB // 256)

# The most the proxy may ever have held, with its own code and caches. What holds the body, or a tenth of it, has more.
PEAK_KIB = 100 * 1024

VERSIONS = {"HTTP/1.1": "--http1.1", "HTTP/2": "--http2-prior-knowledge"}


def tell(account, asked):
    if not shutil.which("curl"):
        raise Unfit("curl is not here (Debian package: curl)")
    if not Path("/proc/self/status").exists():
        raise Unfit("nobody tells here how much memory a process has held (/proc/PID/status)")
    with Stage(asked.program) as stage:
        pages = stage.service("pages.py")
        slow = 'timeout = "60s"'
        proxy = stage.proxy(server() + backend("old", pages.port, slow) + all_to("old"))
        expected = digest_of_all()
        for version, how in VERSIONS.items():
            with account.check(f"curl, {version}: 1 GiB down") as facts:
                same(download(proxy, how), expected, "digest")
                facts.append(held(proxy))
            with account.check(f"curl, {version}: 1 GiB up") as facts:
                seen = upload(proxy, how)
                same(seen["bytes"], GIB_IN_MIB * MIB, "bytes at the service")
                same(seen["sha256"], expected, "digest at the service")
                facts.append(held(proxy))


def blocks():
    """What the service sends, too."""
    for number in range(GIB_IN_MIB):
        yield number.to_bytes(8, "big") + BLOCK[8:]


def digest_of_all():
    digest = hashlib.sha256()
    for block in blocks():
        digest.update(block)
    return digest.hexdigest()


def curl(url, *options, stdin=subprocess.DEVNULL):
    command = ["curl", "--silent", "--show-error", "--fail", "--max-time", "50", "--noproxy", "*", *options, url]
    return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE)


def download(proxy, how):
    digest = hashlib.sha256()
    with curl(proxy.url(f"/mebibytes/{GIB_IN_MIB}"), how) as process:
        while part := process.stdout.read(MIB):
            digest.update(part)
    same(process.returncode, 0, "exit code of curl")
    return digest.hexdigest()


def upload(proxy, how):
    options = [how, "-X", "POST", "-H", "expect:", "-T", "-"]
    with curl(proxy.url("/digest"), *options, stdin=subprocess.PIPE) as process:
        for block in blocks():
            process.stdin.write(block)
        process.stdin.close()
        said = process.stdout.read()
    same(process.returncode, 0, "exit code of curl")
    return json.loads(said)


def held(proxy):
    """Fails if the proxy has ever held too much; otherwise says how much."""
    status = Path(f"/proc/{proxy.process.pid}/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])
    assert peak <= PEAK_KIB, f"the proxy held {peak // 1024} MiB at once"
    return f"at most {peak // 1024} MiB held"
