"""A small HTTP/1.1 service for load: answers every GET with its name and the `x-gen` it received.

usage: quick.py NAME [PORT]
"""

import asyncio
import re
import sys

GENERATION = re.compile(rb"\r\nx-gen: *([^\r\n]*)", re.IGNORECASE)


class Exchange(asyncio.Protocol):
    """One connection; requests have no body."""

    name = b"?"

    def connection_made(self, transport):
        self.transport = transport
        self.pending = b""

    def data_received(self, data):
        self.pending += data
        replies = []
        while (end := self.pending.find(b"\r\n\r\n")) >= 0:
            head, self.pending = self.pending[:end], self.pending[end + 4 :]
            replies.append(self.reply(head))
        if replies:
            self.transport.write(b"".join(replies))

    def reply(self, head):
        found = GENERATION.search(head)
        body = self.name + b" " + (found[1] if found else b"-")
        return b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


async def main():
    Exchange.name = sys.argv[1].encode()
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    server = await asyncio.get_running_loop().create_server(Exchange, "127.0.0.1", port, backlog=512, reuse_address=True)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
