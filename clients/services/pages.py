"""An HTTP/1.1 service that shows what it received: bodies by their digest, heads as JSON; ranges and gzip.

usage: pages.py
"""

import gzip
import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TEXT = b"".join(b"line %d of the page\n" % number for number in range(4000))

MIB = 1024 * 1024
BLOCK = bytes(range(256)) * (MIB // 256)


class Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        headers = {}
        if self.path == "/headers":
            return self.reply(200, json.dumps(self.received()).encode(), {"content-type": "application/json"})
        if self.path.startswith("/mebibytes/"):
            return self.stream(int(self.path.rsplit("/", 1)[1]))
        if self.path != "/page":
            return self.reply(404, b"no such page")
        text, status = TEXT, 200
        if (wanted := self.headers.get("range")) is not None:
            first, last = map(int, wanted.removeprefix("bytes=").split("-"))
            status, text = 206, TEXT[first : last + 1]
            headers["content-range"] = f"bytes {first}-{last}/{len(TEXT)}"
        elif "gzip" in self.headers.get("accept-encoding", ""):
            text = gzip.compress(TEXT)
            headers.update({"content-encoding": "gzip", "vary": "accept-encoding"})
        return self.reply(status, text, headers)

    do_HEAD = do_GET

    def handle_expect_100(self):
        """Asked first, this service takes a body or, at `/refuse`, answers without having read it."""
        if self.path != "/refuse":
            return super().handle_expect_100()
        self.close_connection = True
        self.reply(413, b"too much", {"connection": "close"})
        return False

    def do_POST(self):
        digest, size = hashlib.sha256(), 0
        for part in self.body():
            digest.update(part)
            size += len(part)
        facts = {"bytes": size, "sha256": digest.hexdigest(), **self.received()}
        self.reply(200, json.dumps(facts).encode(), {"content-type": "application/json"})

    do_PUT = do_POST

    def body(self):
        if "chunked" in self.headers.get("transfer-encoding", ""):
            while length := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(length)
                self.rfile.readline()
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            return
        left = int(self.headers.get("content-length", 0))
        while left > 0 and (part := self.rfile.read(min(left, 65536))):
            left -= len(part)
            yield part

    def stream(self, mebibytes):
        """Each MiB begins with its number, so that one lost, doubled or misplaced changes the digest."""
        self.send_response(200)
        self.send_header("content-length", str(mebibytes * MIB))
        self.end_headers()
        for number in range(mebibytes if self.command == "GET" else 0):
            self.wfile.write(number.to_bytes(8, "big") + BLOCK[8:])

    def received(self):
        return {
            "method": self.command,
            "version": self.request_version,
            "headers": {name.lower(): value for name, value in self.headers.items()},
        }

    def reply(self, status, body, headers=()):
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **dict(headers)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


server = Server(("127.0.0.1", 0), Pages)
print("ready", server.server_address[1], flush=True)
server.serve_forever()
