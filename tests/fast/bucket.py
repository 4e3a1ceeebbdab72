"""`python tests/fast/bucket.py`: the fake of S3 as a process, told by lines of JSON what no store would be."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.fakes.s3 import S3Server

if __name__ == "__main__":
    with S3Server() as server:
        print(json.dumps(server.environment()), flush=True)  # noqa: T201 - the announcement is its output
        for line in sys.stdin:
            match json.loads(line):
                case ["ahead", seconds]:
                    server.ahead_seconds += seconds
                    told: object = None
                case ["forget", prefix]:
                    for name in [name for name in server.objects if name.startswith(prefix)]:
                        del server.objects[name]
                    told = None
                case ["copy", old, new]:
                    for name, each in list(server.objects.items()):
                        if name.startswith(old):
                            server.objects[new + name.removeprefix(old)] = each
                    told = None
                case ["read", prefix]:
                    found = sorted(server.objects.items())
                    told = {name: each.body.decode("latin-1") for name, each in found if name.startswith(prefix)}
                case _:
                    told = "not known"
            print(json.dumps(told), flush=True)  # noqa: T201 - the answer is its output
