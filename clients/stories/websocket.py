"""WebSocket through the proxy: the Python package websockets, and a page in a real browser."""

import os
import shutil
import subprocess
import threading
import urllib.parse

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from account import Unfit, same
from stage import Stage, all_to, backend, migration, quiet_port, server

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]

MIB = 1024 * 1024


def tell(account, asked):
    with Stage(asked.program) as stage:
        old, new = stage.service("echo_socket.py", "old"), stage.service("echo_socket.py", "new")
        sides = backend("old", old.port) + backend("new", new.port) + all_to("old")
        users = 'allow = ["new-user"]\n'
        proxy = stage.proxy(server() + sides + migration(0, users))
        with account.check("websockets: text and binary messages come back, up to 4 MiB"):
            messages(proxy)
        with account.check("websockets: ping, subprotocol, close code and reason pass"):
            control(proxy)
        with account.check("websockets: which side a connection is on is decided per user"):
            sides_of_users(proxy)
        with account.check("websockets: 50 connections at once, 20 messages each"):
            many(proxy)
        with account.check("websockets: an open connection survives a reload that moves its user"):
            survives_reload(stage, proxy, server() + sides + migration(0, 'deny = ["new-user"]\n'))
        with account.check("websockets: new is dead, the upgrade falls back to old"):
            falls_back(stage, proxy, old, users)
        with account.check("a browser's page opens ws:// back through the proxy") as facts:
            browser(stage, proxy, old, facts)
        with account.check("SIGTERM: the proxy drains and ends with 0"):
            same(proxy.stop(), 0, "exit code")


def socket(proxy, user="old-user", **more):
    """A connection that has said which side it is on."""
    url = f"ws://127.0.0.1:{proxy.port}/api/socket"
    more.setdefault("max_size", 8 * MIB)
    headers = {"x-user-id": user}
    return connect(url, additional_headers=headers, proxy=None, open_timeout=20, close_timeout=20, **more)


def messages(proxy):
    with socket(proxy) as echo:
        same(echo.recv(20), "old", "side")
        for message in ["", "x", "grüße " * 1000, b"", bytes(range(256)), os.urandom(4 * MIB)]:
            echo.send(message)
            same(echo.recv(20), message, "echo")
        echo.send(["in ", "three ", "frames"])
        same(echo.recv(20), "in three frames", "echo of a fragmented message")


def control(proxy):
    with socket(proxy, subprotocols=["other", "echo.test"]) as echo:
        same(echo.subprotocol, "echo.test", "subprotocol")
        assert echo.ping().wait(20), "no pong in 20 s"
        echo.recv(20)
        echo.send("close 4321")
        try:
            echo.recv(20)
        except ConnectionClosed as closed:
            same((closed.rcvd.code, closed.rcvd.reason), (4321, "as asked"), "close")
        else:
            raise AssertionError("the service's close did not arrive")


def sides_of_users(proxy):
    for user, side in [("old-user", "old"), ("new-user", "new")]:
        with socket(proxy, user) as echo:
            same(echo.recv(20), side, f"side of {user}")


def many(proxy):
    wrong = []

    def one(number):
        user = "new-user" if number % 2 else "old-user"
        try:
            with socket(proxy, user) as echo:
                same(echo.recv(20), user.split("-")[0], "side")
                for index in range(20):
                    echo.send(f"{number} {index}")
                    same(echo.recv(20), f"{number} {index}", "echo")
        except Exception as error:  # noqa: BLE001 told by the check
            wrong.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=one, args=[number]) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(wrong, [], "failures")


def survives_reload(stage, proxy, moved):
    with socket(proxy, "new-user") as before:
        same(before.recv(20), "new", "side before")
        stage.write(moved)
        proxy.reload_by_api()
        before.send("still here")
        same(before.recv(20), "still here", "echo after the reload")
        with socket(proxy, "new-user") as after:
            same(after.recv(20), "old", "side after")


def falls_back(stage, proxy, old, users):
    nobody = backend("old", old.port) + backend("new", quiet_port(), 'connect-timeout = "250ms"')
    stage.write(server() + nobody + all_to("old") + migration(0, users))
    proxy.reload_by_api()
    with socket(proxy, "new-user") as echo:
        same(echo.recv(20), "old", "side")
    # And with fallback off the client gets an HTTP answer instead of an upgrade.
    stage.write(server() + nobody + all_to("old") + migration(0, users + "fallback = { on = [] }\n"))
    proxy.reload_by_api()
    try:
        socket(proxy, "new-user").close()
    except InvalidStatus as refused:
        same(refused.response.status_code, 502, "status")
    else:
        raise AssertionError("an upgrade by a dead service succeeded")


def browser(stage, proxy, old, facts):
    """The page says what it received twice: in its DOM, and by a request, which is the event that is waited for."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise Unfit("no chromium here (Debian package: chromium)")
    command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    command += ["--no-proxy-server", "--disable-background-networking", "--disable-component-update"]
    # In real time: in the browser's virtual one a WebSocket is nothing to wait for.
    command += [f"--user-data-dir={stage.folder}/profile", "--dump-dom"]
    done = subprocess.run([*command, proxy.url("/page")], capture_output=True, text=True, timeout=50)
    expected = "old | from the browser | 1,2,254,255 | echo.test | 4001 | true"
    assert expected in done.stdout, f"the page: {done.stdout.strip()!r}; {done.stderr.strip()[-300:]}"
    told = urllib.parse.unquote(old.wait_for("told ", 20).split(" ", 1)[1])
    same(told, expected, "what the page told the service")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20)
    facts.append(version.stdout.split("built on")[0].strip())
