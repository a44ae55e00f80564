"""Answers with a profile as JSON. Below /dates the two sides write the date in their own way; old and new differ in
nothing else. usage: profile.py old|new
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Profile(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    side = sys.argv[1]

    def do_GET(self):
        joined = "2026-01-02"
        if self.path.startswith("/dates") and self.side == "new":
            joined = "02.01.2026"
        body = json.dumps({"id": 7, "name": "ana", "joined": joined}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


# Its default of 5 refuses a browser's burst.
ThreadingHTTPServer.request_queue_size = 256
server = ThreadingHTTPServer(("127.0.0.1", 0), Profile)
print(f"ready {server.server_port}", flush=True)
server.serve_forever()
