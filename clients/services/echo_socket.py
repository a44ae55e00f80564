"""A WebSocket service that echoes, and the page of a browser that talks to it.

usage: echo_socket.py NAME
"""

import asyncio
import http
import sys

import websockets
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.http11 import Response

PAGE = """<!doctype html><title>echo</title><p id=echo>nothing yet</p><img src="/held"><script>
const socket = new WebSocket(`ws://${location.host}/api/socket`, 'echo.test');
const parts = [];
socket.binaryType = 'arraybuffer';
socket.onopen = () => { socket.send('from the browser'); socket.send(new Uint8Array([1, 2, 254, 255])); };
socket.onmessage = event => {
  parts.push(typeof event.data === 'string' ? event.data : Array.from(new Uint8Array(event.data)).join());
  if (parts.length === 3) socket.close(4001, 'enough');
};
socket.onerror = () => parts.push('error');
socket.onclose = event => {
  const text = [...parts, socket.protocol, event.code, event.wasClean].join(' | ');
  document.getElementById('echo').textContent = text;
  fetch('/told?' + encodeURIComponent(text));
};
</script>"""


async def echo(socket):
    """Says who it is, then everything back; `close CODE` closes."""
    await socket.send(NAME)
    async for message in socket:
        if isinstance(message, str) and message.startswith("close "):
            await socket.close(int(message.split()[1]), "as asked")
            return
        await socket.send(message)


async def page(connection, request):
    """Answers what is no upgrade."""
    if "upgrade" in request.headers:
        return None
    if request.path.startswith("/told?"):
        print("told", request.path.split("?", 1)[1], flush=True)
        TOLD.set()
        return connection.respond(http.HTTPStatus.OK, "thank you")
    if request.path == "/held":
        # A browser shows what a page has become when all of it is loaded: this part is not before the page is done.
        try:
            await asyncio.wait_for(TOLD.wait(), 20)
        except TimeoutError:
            pass
        return connection.respond(http.HTTPStatus.NOT_FOUND, "no picture")
    body = PAGE.encode()
    fields = Headers({"content-type": "text/html; charset=utf-8", "content-length": str(len(body))})
    fields["connection"] = "close"
    return Response(200, "OK", fields, body)


async def main():
    more = {"subprotocols": ["echo.test"], "max_size": 8 * 1024 * 1024, "process_request": page}
    # A browser asks without any protocol too.
    more["select_subprotocol"] = lambda _, offered: "echo.test" if "echo.test" in offered else None
    async with serve(echo, "127.0.0.1", 0, **more) as server:
        print("ready", server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


NAME = sys.argv[1]
TOLD = asyncio.Event()
asyncio.run(main())
