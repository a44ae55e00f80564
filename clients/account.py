"""What was checked and how it went: one line each, and the closing line that CI systems read."""

import contextlib
import traceback


class Unfit(Exception):
    """A client cannot be used here; the text says why, and what to install."""


class Account:
    """Counts checks while it prints them. One that fails does not stop those after it."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.skipped = 0

    @contextlib.contextmanager
    def check(self, what):
        """The body is the check: it fails if the body raises. It may add facts to the list it is given."""
        facts = []
        try:
            yield facts
        except Unfit as why:
            self.skip(f"{what}: {why}")
        except AssertionError as error:
            self.fail(f"{what}: {error or traceback.format_exc(limit=-1)}")
        except Exception as error:  # noqa: BLE001 a broken client is a failed check, whatever it raises
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.fail(f"{what}: {type(error).__name__}: {error} ({where.name}, line {where.lineno})")
        else:
            self.passed += 1
            self.say(f"ok      {what}{': ' if facts else ''}{', '.join(facts)}")

    def fail(self, what):
        self.failed += 1
        self.say(f"FAILED  {what}")

    def skip(self, what):
        self.skipped += 1
        self.say(f"SKIPPED {what}")

    @staticmethod
    def say(line):
        print(line, flush=True)

    def closing_line(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def same(found, expected, what):
    """Asserts equality, and shows where long values begin to differ."""
    if found == expected:
        return
    if isinstance(found, dict) and isinstance(expected, dict):
        for name in sorted({*found, *expected}):
            same(found.get(name), expected.get(name), f"{what}, {name}")
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for one, other in zip(found, expected):
            same(one, other, what)
    shown = f"found {shorten(found)}, expected {shorten(expected)}"
    if isinstance(found, (bytes, str)) and isinstance(expected, type(found)):
        at = next((i for i, (a, b) in enumerate(zip(found, expected)) if a != b), min(len(found), len(expected)))
        shown = f"lengths {len(found)} and {len(expected)}, differing from {at}: " + (
            f"{found[at:at + 40]!r} instead of {expected[at:at + 40]!r}"
        )
    raise AssertionError(f"{what}: {shown}")


def shorten(value, limit=300):
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "…"
