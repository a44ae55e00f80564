"""A gRPC service without generated code: messages are bytes.

usage: calls.py NAME
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf import any_pb2, wrappers_pb2
from google.rpc import code_pb2, status_pb2
from grpc_status import rpc_status

NAME = sys.argv[1]


def echo(message, context):
    """Unary. Metadata that begins with `echo-` comes back, in the head and in the trailers."""
    sent = [(name, value) for name, value in context.invocation_metadata() if name.startswith("echo-")]
    context.send_initial_metadata([("side", NAME), *sent])
    context.set_trailing_metadata(sent)
    return message


def fail(message, context):
    """Ends with a status that has details, as google.rpc.Status in the trailers."""
    detail = any_pb2.Any()
    detail.Pack(wrappers_pb2.StringValue(value="the detail: é"))
    status = status_pb2.Status(code=code_pb2.FAILED_PRECONDITION, message="not today: é %", details=[detail])
    context.abort_with_status(rpc_status.to_status(status))


def count(message, context):
    """Server streaming: as many messages as asked for; then, if negative, a failure."""
    wanted = int(message)
    for number in range(abs(wanted)):
        yield b"%d" % number
    if wanted < 0:
        context.abort(grpc.StatusCode.DATA_LOSS, "in the middle")


def add(messages, context):
    """Client streaming: the sum of the lengths."""
    return b"%d" % sum(len(message) for message in messages)


def talk(messages, context):
    """Bidirectional: each message is answered before the next is read."""
    for message in messages:
        yield message.upper()


def wait(message, context):
    """Until the client gives up; says so on standard output."""
    context.add_callback(lambda: print("given up", flush=True))
    yield b"waiting"
    for _ in range(600):
        if not context.is_active():
            return
        time.sleep(0.05)


def main():
    handlers = {
        "Echo": grpc.unary_unary_rpc_method_handler(echo),
        "Fail": grpc.unary_unary_rpc_method_handler(fail),
        "Count": grpc.unary_stream_rpc_method_handler(count),
        "Add": grpc.stream_unary_rpc_method_handler(add),
        "Talk": grpc.stream_stream_rpc_method_handler(talk),
        "Wait": grpc.unary_stream_rpc_method_handler(wait),
    }
    server = grpc.server(ThreadPoolExecutor(64))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Calls", handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print("ready", port, flush=True)
    server.wait_for_termination()


main()
