"""The admin API as its own description says: schemathesis asks every endpoint of openapi.json, rightly and wrongly.

No answer may be a 5xx that the description does not name, have a status or a content type it does not name, or accept
what it forbids. Afterwards the proxy must still serve, and its audit log be whole.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from account import Unfit, same
from stage import Stage, all_to, backend, migration, server

# Cases for each endpoint that are made up, beside those that follow from its description.
EXAMPLES = 15

# So that a run that fails can be had again.
SEED = 1

# What the description cannot say is not asked:
EXCLUDED = [
    # whether an order is allowed depends on where the migration stands;
    "positive_data_acceptance",
    # after ten requests without a good token an address gets 429, not 401: see tests of tokens;
    "ignored_auth",
    "missing_required_header",
    # a verb stands behind a migration's name on the path of the migration itself, which can be read.
    "allow_header_conformance",
]


def tell(account, asked):
    try:
        import schemathesis
    except ImportError:
        raise Unfit("the Python package schemathesis is not here, and pip could not install it") from None
    with Stage(asked.program) as stage:
        ports = [stage.service("quick.py", side).port for side in ("old", "new")]
        token, lines = new_token(asked.program, stage.folder)
        sides = backend("old", ports[0]) + backend("new", ports[1])
        proxy = stage.proxy(server() + sides + all_to("old") + migration(5) + lines)
        with account.check(f"schemathesis {schemathesis.__version__}: every endpoint answers as described") as facts:
            said = drive(stage, proxy, token)
            cases = re.search(r"(\d+) generated", said)
            operations = re.search(r"Tested: (\d+)", said)
            assert cases and operations, f"it ended without its summary: {said[-500:]}"
            assert int(operations[1]) > 30, f"only {operations[1]} endpoints were asked"
            facts.append(f"{operations[1]} endpoints, {cases[1]} requests")
        with account.check("the proxy still serves, and its audit log is whole"):
            same(ask(proxy, token, "/admin/v1/audit:verify"), "200", "audit:verify")
            same(ask(proxy, token, "/admin/v1/migrations/trial"), "200", "the migration")


def new_token(program, folder):
    """A token of an admin, and the lines of a configuration that lets it in."""
    command = [program, "token", "new", "--name", "root", "--role", "admin", "-o", "json"]
    made = json.loads(subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE).stdout)
    lines = [f"{key} = {json.dumps(made[key])}" for key in ("name", "role", "hash")]
    return made["token"], "\n".join(["[[admin.tokens]]", *lines, ""])


def drive(stage, proxy, token):
    command = [
        str(Path(sys.executable).with_name("st")), "run",
        f"http://127.0.0.1:{proxy.admin}/admin/v1/openapi.json",
        "--header", f"authorization: Bearer {token}",
        # It does not end.
        "--exclude-path", "/admin/v1/events",
        "--exclude-checks", ",".join(EXCLUDED),
        "--max-examples", str(EXAMPLES), "--seed", str(SEED), "--phases", "examples,coverage,fuzzing",
        "--request-timeout", "10", "--continue-on-failure", "--no-shrink", "--no-color", "--warnings", "off",
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=stage.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60
    )
    assert done.returncode == 0, f"it found faults:\n{done.stdout[-3000:]}"
    return done.stdout


def ask(proxy, token, path):
    """Only the status."""
    command = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]
    command += ["--header", f"authorization: Bearer {token}", f"http://127.0.0.1:{proxy.admin}{path}"]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, timeout=10).stdout
