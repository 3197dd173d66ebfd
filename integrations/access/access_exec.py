#!/usr/bin/env python3
"""An example of a command for back-ends of kind `exec`: it keeps groups in one JSON file.

Copy it and replace `Place` by calls of your own system. Watchbill runs it once for each call,
writes one JSON document to its standard input, and reads one from its standard output:

    access_exec.py /var/lib/groups.json

The file: {"people": ["ana@example.com"], "groups": {"admins": {"ana@example.com": null}}}
"""

import fcntl
import json
import os
import sys
from typing import Any, Dict

VERSION = 1
Json = Dict[str, Any]


class RefusedError(Exception):
    """It can never work as it is; the text is shown to people and says what to do."""


class Place:
    """Groups in a file; a real one would call the interface of some system, with a time-out."""

    def __init__(self, path: str) -> None:
        self.path = path
        with open(path) as file:
            self.kept = json.load(file)

    def group(self, name: str) -> Json:
        if name not in self.kept["groups"]:
            raise RefusedError("there is no group %r. Create it, or correct `group`." % name)
        return self.kept["groups"][name]

    def grant(self, asked: Json) -> Json:
        members = self.group(asked["group"])
        if asked["account"] not in self.kept["people"]:
            raise RefusedError("nobody is called %r. Correct `accounts`." % asked["account"])
        members[asked["account"]] = asked["until"]
        self.save()
        return {}

    def revoke(self, asked: Json) -> Json:
        # who is not in is fine: the same request may come again
        self.group(asked["group"]).pop(asked["account"], None)
        self.save()
        return {}

    def members(self, asked: Json) -> Json:
        members = self.group(asked["group"])
        return {"members": [{"account": a, "expires_at": e} for a, e in members.items()]}

    def probe(self, asked: Json) -> Json:
        self.group(asked["group"])
        writable = os.access(self.path, os.W_OK)
        return {"faults": [] if writable else ["%s cannot be written." % self.path]}

    def save(self) -> None:
        with open(self.path + ".new", "w") as file:
            json.dump(self.kept, file)
        os.replace(self.path + ".new", self.path)


def answer(path: str, asked: Json) -> Json:
    if asked.get("version") != VERSION:
        return {"ok": False, "error": "this script speaks version %d only" % VERSION}
    work = {"grant": Place.grant, "revoke": Place.revoke}
    work.update({"members": Place.members, "probe": Place.probe})
    if asked.get("action") not in work:
        return {"ok": False, "error": "unknown action %r" % asked.get("action")}
    try:
        with open(path + ".lock", "w") as lock:
            # other groups may be changed at the same time, and they are in the same file
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = work[asked["action"]](Place(path), asked)
    except RefusedError as refused:
        return {"ok": False, "error": str(refused)}
    except OSError as error:
        return {"ok": False, "retry": True, "after": 30, "error": str(error)}
    found["ok"] = True
    return found


if __name__ == "__main__":
    json.dump(answer(sys.argv[1], json.load(sys.stdin)), sys.stdout)
