"""What the scripts v1_*.py say about a running gateway, and how: facts, each proved for every model.

    python tests/sdk/v1_openai.py http://127.0.0.1:3000 KEY openai/demo claude/demo gemini/demo onemin/demo

A fact is a function of a model's name, whose further words make the demo provider misbehave. Every
one that does not hold is told, with what was expected and what was found.
"""

import base64
import os
import struct
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

GATEWAY = sys.argv[1].rstrip("/")
KEY = sys.argv[2]
MODELS = sys.argv[3:]

QUESTION = "Say hello to Žižkov 🚋"
# Words on which the demo calls both of the tools it is offered, each about a city of its own.
TWO_TOOLS = "Use the tools for Oslo and Lisbon."
WEATHER, TIME = "Sněží, −7 °C ❄", "23:59 🕛"
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
# How long a demo whose name says "slow" is silent, in seconds.
SILENCE = 2
# The head of an answer that is kept alive comes before that.
SOON = 1.9


def has_a_format_of_its_own(model):
    """1min.ai, which has neither tools nor schemas: of it only the plain facts are asked."""
    return model.startswith("onemin/")


def png():
    """A picture of one pixel, which decoders accept, as its bytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


PNG = png()
PNG_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()
# What the demo says of that picture: only the very bytes lead to this.
PNG_SEEN = f"image/png, {len(PNG)} bytes"


def that(holds, otherwise):
    if not holds:
        raise AssertionError(otherwise)


def same(found, expected, what):
    that(found == expected, f"{what}: expected {expected!r}, found {found!r}")


def raises(kind, call):
    try:
        found = call()
    except kind as error:
        return error
    except Exception as error:
        raise AssertionError(f"expected {kind.__name__}, found {error!r}") from error
    raise AssertionError(f"expected {kind.__name__}, found the answer {found!r}")


class Clock:
    """The seconds since a call began."""

    def __init__(self):
        self.began = time.monotonic()

    def seconds(self):
        return time.monotonic() - self.began


def prove(title, plain, further, ways=("",)):
    """Proves the plain facts of every model, and the further ones of those that can hold them.

    Where a library has more than one way to a model, each fact is one of the model and of the way. Models and
    ways are proved at the same time: much of it is waiting.
    """

    def prove_all(of):
        return [tell(fact, of) for fact in (plain if has_a_format_of_its_own(of[0]) else plain + further)]

    pairs = [[model, way] if way else [model] for way in ways for model in MODELS]
    with ThreadPoolExecutor(len(pairs)) as threads:
        told = [outcome for outcomes in threads.map(prove_all, pairs) for outcome in outcomes]
    proved, false = told.count(True), told.count(False)
    print(f"{title}: {proved} facts are true, {false} are false")
    sys.exit(1 if false or not proved else 0)


def tell(fact, of):
    """Whether a fact holds; None where TWINLANE_FACT names another."""
    whole = f"{' by '.join(of)}: {fact.__name__.replace('_', ' ')}"
    if os.environ.get("TWINLANE_FACT", "") not in whole:
        return None
    try:
        fact(*of)
    except Exception as error:
        say(f"FALSE {whole}\n{type(error).__name__}: {error}\n")
        return False
    say(f"true  {whole}\n")
    return True


def say(text):
    """Prints in one go: others print at the same time."""
    sys.stdout.write(text)
    sys.stdout.flush()
