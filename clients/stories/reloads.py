"""A hundred reloads under load, by signal and by API in turn: no request fails, and none sees two generations.

Each generation writes its number into the request on its way to a service, which echoes it, and into the reply. Both
must be equal. Odd generations send 80 % of the users to new, even ones 20 %: a user between the two may be answered by
new only with an odd number, and by old only while an even generation was in force.
"""

import asyncio
import threading

from account import same
from stage import Stage, all_to, backend, migration, server

CONNECTIONS = 24
RELOADS = 100
USERS = 300

# From one user to the next; shares no divisor with their number, so that each connection meets all of them.
STRIDE = 23

# Replies that each generation must have given before the next one comes.
REPLIES = 30


def tell(account, asked):
    with Stage(asked.program) as stage:
        ports = [stage.service("quick.py", side).port for side in ("old", "new")]
        proxy = stage.proxy(config(ports, 0))
        with account.check(f"{RELOADS} reloads, {CONNECTIONS} connections: each reply is of one generation") as facts:
            with Load(proxy.port) as load:
                learn(stage, proxy, ports, load)
                for generation in range(2, RELOADS + 1):
                    install(stage, proxy, ports, generation)
                    load.wait_for(generation)
            same(load.wrong, [], "wrong replies")
            facts.append(f"{load.replies} replies, none failed, none mixed")
            facts.append(f"{len(load.moving)} of {USERS} users moved each time")
        with account.check("every reload was installed, and counted"):
            same(proxy.metrics("cutover_config_generation"), RELOADS + 1.0, "generation in force")
            same(proxy.metrics("cutover_config_reloads_total", result="refused"), 0.0, "refused reloads")
        with account.check("20 configurations that are wrong, under load: refused, and nobody notices") as facts:
            with Load(proxy.port) as load:
                load.latest = RELOADS
                for number in range(20):
                    refuse(stage, proxy, number)
                    load.more(REPLIES)
            same(load.wrong, [], "wrong replies")
            facts.append(f"{load.replies} replies")
        with account.check("SIGTERM: the proxy drains and ends with 0"):
            same(proxy.stop(), 0, "exit code")


def percent(generation):
    return 80 if generation % 2 else 20


def config(ports, generation):
    mark = f'set = {{ x-gen = "{generation}" }}'
    reply = mark.replace("x-gen", "x-gen-reply")
    edits = f"headers = {{ request = {{ {mark} }}, response = {{ {reply} }} }}\n"
    plain = f'[[routes]]\npath = "/plain"\nbackend = "old"\nedits = {{ {edits.strip()} }}\n'
    sides = backend("old", ports[0]) + backend("new", ports[1])
    return server() + sides + all_to("old") + plain + migration(percent(generation), edits)


def install(stage, proxy, ports, generation):
    stage.write(config(ports, generation))
    if generation % 2:
        proxy.reload_by_signal()
    else:
        same(proxy.reload_by_api(), generation + 1, "generation")


def refuse(stage, proxy, number):
    """Bad spelling, a backend that is not there, a listener that cannot be changed."""
    wrong = ["[server\n", all_to("nobody"), server().replace(":0", ":1", 1)][number % 3]
    stage.write(wrong)
    status, body = proxy.ask_admin("/admin/v1/config:reload?reason=test", "POST")
    same(status, 422, f"status of {body}")


def learn(stage, proxy, ports, load):
    """Who moves between 20 and 80 %, found by asking at both."""
    load.wait_for(0)
    at_20 = load.users_of_new()
    install(stage, proxy, ports, 1)
    load.wait_for(1)
    at_80 = load.users_of_new()
    assert at_20 < at_80, f"{len(at_20)} users at 20 %, {len(at_80)} at 80 %: growing must only add users"
    load.moving = at_80 - at_20


class Load:
    """Connections that ask without a pause, in a thread of their own."""

    def __init__(self, port):
        self.port = port
        self.replies = 0
        self.wrong = []
        self.moving = set()
        # The side that answered each user, and how many replies there were when it was asked.
        self.sides = {}
        self.of_generation = {}
        self.latest = 0
        self.stopping = False
        self.changed = threading.Condition()

    def __enter__(self):
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run()))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()

    async def run(self):
        await asyncio.gather(*(self.one(number) for number in range(CONNECTIONS)))

    async def one(self, number):
        """Asks for one user after the other, and now and then by the route of no migration."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            user = number
            while not self.stopping:
                user = (user + STRIDE) % USERS
                path = "/plain" if user % 7 == 0 else "/api/x"
                asked_at, in_force = self.replies, self.latest
                writer.write(f"GET {path} HTTP/1.1\r\nhost: h\r\nx-user-id: user-{user}\r\n\r\n".encode())
                status, headers, body = await asyncio.wait_for(read_reply(reader), 20)
                with self.changed:
                    self.judge(user, path, status, headers.get("x-gen-reply", "-"), body, in_force)
                    if path != "/plain":
                        self.sides[user] = (body.partition(" ")[0], asked_at)
                    self.changed.notify_all()
            writer.close()
        except Exception as error:  # noqa: BLE001 a connection that fails is what the check looks for
            with self.changed:
                self.wrong.append(f"connection {number}: {type(error).__name__}: {error}")
                self.changed.notify_all()

    def judge(self, user, path, status, of_reply, body, in_force):
        side, _, of_request = body.partition(" ")
        self.replies += 1
        said = f"user-{user} {path}: {status} {body!r}, x-gen-reply {of_reply}"
        if status != 200 or of_request != of_reply:
            self.wrong.append(said)
        elif path == "/plain" and not of_reply.isdigit():
            self.wrong.append(f"{said}: not edited")
        elif side == "old" and path != "/plain" and of_reply != "-":
            self.wrong.append(f"{said}: edits are for new only")
        elif side == "new" and user in self.moving and int(of_reply) % 2 == 0:
            self.wrong.append(f"{said}: sent by one generation, edited by another")
        elif of_reply.isdigit() and int(of_reply) < in_force:
            self.wrong.append(f"{said}: generation {in_force} was in force before it was asked")
        elif of_reply.isdigit():
            self.of_generation[int(of_reply)] = self.of_generation.get(int(of_reply), 0) + 1

    def wait_for(self, generation):
        """It is in force: until it has given enough replies. Requests from now on may see none that is older."""
        self.latest = generation
        self.until(lambda: self.of_generation.get(generation, 0) >= REPLIES)

    def more(self, replies):
        enough = self.replies + replies
        self.until(lambda: self.replies >= enough)

    def until(self, done):
        with self.changed:
            finished = self.changed.wait_for(lambda: done() or len(self.wrong) > 5, 20)
            same(self.wrong[:5], [], "wrong replies")
            assert finished, f"the load stands still after {self.replies} replies"

    def users_of_new(self):
        """From replies to requests that begin after this call."""
        start = self.replies
        asked = [user for user in range(USERS) if user % 7]
        self.until(lambda: all(self.sides.get(user, ("", 0))[1] > start for user in asked))
        return {user for user in asked if self.sides[user][0] == "new"}


async def read_reply(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return int(first.split(" ")[1]), headers, body.decode()
