"""gRPC by the package grpcio, client and service, over h2c on both sides of the proxy."""

import os
import threading

import grpc
from google.protobuf import wrappers_pb2
from grpc_status import rpc_status

from account import same
from stage import Stage, backend, quiet_port, server

# Longer than the slowest machine needs: no call here depends on it, but none may hang.
LIMIT = 20


def tell(account, asked):
    with Stage(asked.program) as stage:
        first = stage.service("calls.py", "first")
        proxy = stage.proxy(config(first.port))
        calls = Calls(proxy)
        for what, check in CHECKS.items():
            with account.check(f"grpcio: {what}"):
                check(calls)
        with account.check("grpcio: a client that gives up is noticed by the service"):
            gives_up(calls, first)
        with account.check("grpcio: a reload moves new calls, and a call that is open goes on"):
            moves_by_reload(stage, proxy, calls)
        with account.check("grpcio: a dead service is UNAVAILABLE"):
            dead_is_unavailable(stage, proxy, calls)
        calls.channel.close()
        with account.check("SIGTERM: the proxy drains and ends with 0"):
            same(proxy.stop(), 0, "exit code")


def config(port):
    route = '[[routes]]\npath = "/test.Calls/{*method}"\nmethods = ["POST"]\nbackend = "calls"\n'
    return server('idle-timeout = "60s"') + backend("calls", port, 'protocol = "http2"\ntimeout = "60s"') + route


class Calls:
    """The service as its client sees it: one channel, which is one connection."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.channel = self.open()
        self.unary("Echo")(b"warm", timeout=LIMIT, wait_for_ready=True)

    def open(self):
        # A channel of its own, not a shared connection.
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
        return grpc.insecure_channel(f"127.0.0.1:{self.proxy.port}", options=options)

    def unary(self, name):
        return self.channel.unary_unary(f"/test.Calls/{name}")

    def server_streaming(self, name):
        return self.channel.unary_stream(f"/test.Calls/{name}")

    def client_streaming(self, name):
        return self.channel.stream_unary(f"/test.Calls/{name}")

    def both_streaming(self, name):
        return self.channel.stream_stream(f"/test.Calls/{name}")


def failure(act):
    """The error that a call ends with."""
    try:
        act()
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call succeeded")


def unary(calls):
    for message in [b"", b"x", bytes(range(256)), os.urandom(3 * 1024 * 1024)]:
        same(calls.unary("Echo")(message, timeout=LIMIT), message, "echo")


def metadata(calls):
    sent = [("echo-text", "a value"), ("echo-twice", "1"), ("echo-twice", "2"), ("echo-bytes-bin", b"\x00\xff\x80")]
    _, call = calls.unary("Echo").with_call(b"x", timeout=LIMIT, metadata=sent)
    for what, found in [("head", call.initial_metadata()), ("trailers", call.trailing_metadata())]:
        came = [(name, value) for name, value in found if name.startswith("echo-")]
        same(sorted(came), sorted(sent), f"metadata in the {what}")


def details(calls):
    error = failure(lambda: calls.unary("Fail")(b"", timeout=LIMIT))
    same((error.code(), error.details()), (grpc.StatusCode.FAILED_PRECONDITION, "not today: é %"), "status")
    status, value = rpc_status.from_call(error), wrappers_pb2.StringValue()
    assert status.details[0].Unpack(value), "the detail has another type"
    same(value.value, "the detail: é", "detail")


def unknown_method(calls):
    error = failure(lambda: calls.unary("Nothing")(b"", timeout=LIMIT))
    same(error.code(), grpc.StatusCode.UNIMPLEMENTED, "status")


def server_streaming(calls):
    replies = list(calls.server_streaming("Count")(b"1000", timeout=LIMIT))
    same(replies, [b"%d" % number for number in range(1000)], "messages")
    replies = []
    error = failure(lambda: replies.extend(calls.server_streaming("Count")(b"-5", timeout=LIMIT)))
    same((error.code(), error.details()), (grpc.StatusCode.DATA_LOSS, "in the middle"), "status")


def client_streaming(calls):
    messages = (bytes(size) for size in range(1000))
    same(calls.client_streaming("Add")(messages, timeout=LIMIT), b"%d" % sum(range(1000)), "sum")


def in_turn(calls):
    """Each message is sent only when the one before has been answered: nothing on the way may wait for more."""
    answered, asked = threading.Semaphore(1), []

    def messages():
        for number in range(100):
            if not answered.acquire(timeout=LIMIT):
                return
            asked.append(b"MESSAGE %d" % number)
            yield b"message %d" % number

    replies = []
    for reply in calls.both_streaming("Talk")(messages(), timeout=LIMIT):
        replies.append(reply)
        answered.release()
    same((len(replies), replies), (100, asked), "replies")


def deadline(calls):
    error = failure(lambda: list(calls.server_streaming("Wait")(b"", timeout=0.3)))
    same(error.code(), grpc.StatusCode.DEADLINE_EXCEEDED, "status")


def at_once(calls):
    pending = [(number, calls.unary("Echo").future(b"%d" % number, timeout=LIMIT)) for number in range(500)]
    for number, call in pending:
        same(call.result(LIMIT), b"%d" % number, "echo")


CHECKS = {
    "unary calls, up to 3 MiB": unary,
    "metadata in head and trailers, binary values too": metadata,
    "a status with details": details,
    "an unknown method": unknown_method,
    "server streaming, and a failure in the middle of a stream": server_streaming,
    "client streaming": client_streaming,
    "both streaming, each message answered before the next": in_turn,
    "a deadline": deadline,
    "500 calls at once on one connection": at_once,
}


def gives_up(calls, service):
    # The deadline above was noticed as well.
    service.wait_for("given up")
    call = calls.server_streaming("Wait")(b"", timeout=LIMIT)
    same(next(call), b"waiting", "first message")
    call.cancel()
    service.wait_for("given up")


def moves_by_reload(stage, proxy, calls):
    second = stage.service("calls.py", "second")
    said, more = [], threading.Semaphore(0)

    def messages():
        yield b"before"
        more.acquire(timeout=LIMIT)
        yield b"after"

    talk = calls.both_streaming("Talk")(messages(), timeout=LIMIT)
    said.append(next(talk))
    stage.write(config(second.port))
    proxy.reload_by_signal()
    _, call = calls.unary("Echo").with_call(b"x", timeout=LIMIT)
    same(dict(call.initial_metadata())["side"], "second", "side after the reload")
    more.release()
    same(said + list(talk), [b"BEFORE", b"AFTER"], "messages of the open call")


def dead_is_unavailable(stage, proxy, calls):
    stage.write(config(quiet_port()))
    proxy.reload_by_api()
    error = failure(lambda: calls.unary("Echo")(b"", timeout=LIMIT))
    same(error.code(), grpc.StatusCode.UNAVAILABLE, "status")
