"""Follows what happens in all partnerships of a firm, for as long as it runs. See README.md.

It survives a lost connection, a restart of the server and of itself: it goes on where it was, so
that nothing is missed and nothing comes twice.

Settings come from the environment:
  ENTENTE_API_KEY  the key of your firm; READ is enough
  ENTENTE_SERVER   where the server is; default http://127.0.0.1:50051
  ENTENTE_CURSORS  the file that keeps where we are; default cursors.json
"""

import json
import os
import pathlib
import random
import sys
import time

import grpc
from first_ten_calls import ORIGIN, Entente, v1
from google.rpc import error_details_pb2
from grpc_status import rpc_status

# How long a stream lasts. Then the next one begins, with partnerships that are new since.
SECONDS_A_STREAM = 3600
# The pause before trying again: doubled each time up to the longest, with a bit of chance.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
# The most scopes that one stream may have.
SCOPES_A_STREAM = 64
# What trying again does not mend.
FOR_A_PERSON = (
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.DATA_LOSS,
)


class Cursors:
    """Where we are in each scope, in a file. A real program keeps this in its own database."""

    def __init__(self, path: str) -> None:
        self.path = pathlib.Path(path)
        self.known = json.loads(self.path.read_text()) if self.path.exists() else {}

    def keep(self, scope: str, cursor: str) -> None:
        """Remember a cursor, so that a crash leaves the old file or the new one, nothing between."""
        self.known[scope] = cursor
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.known))
        fresh.replace(self.path)


def handle(entry) -> None:
    """Do something about an entry. It comes once, unless we crash between here and `keep`: do both in
    one transaction of your database, or make this harmless when it is done twice."""
    if entry.origin == ORIGIN:
        return
    print(f"{entry.scope} {entry.sequence} {entry.type} {entry.record_id}", flush=True)


def forget(scope: str, sequence: str) -> None:
    """Do something about entries that never happened: the server was put back to a backup, and what it
    told of this scope after that sequence is gone."""
    print(f"{scope} {sequence} was restored: what came later never happened", flush=True)


def go_back(error: grpc.RpcError, cursors: Cursors) -> bool:
    """Go back to where a restored journal begins anew; False if the error is about something else."""
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        info = error_details_pb2.ErrorInfo()
        # Without a cursor nobody said that it was restored: then it is for a person to look at.
        if detail.Unpack(info) and info.reason == "JOURNAL_DIVERGED" and "cursor" in info.metadata:
            scope = info.metadata["scope"]
            forget(scope, info.metadata["restored_sequence"])
            cursors.keep(scope, info.metadata["cursor"])
            return True
    return False


def scopes(api: Entente, cursors: Cursors) -> list:
    """Return what to watch: every partnership, each from where we are."""
    request = v1.ListPartnershipsRequest(page_size=SCOPES_A_STREAM)
    page = api.call(api.partnerships.ListPartnerships, request)
    if page.next_page_token:
        sys.exit(f"error: more than {SCOPES_A_STREAM} partnerships: follow them by several streams")
    return [
        v1.WatchScope(scope=each.name, cursor=cursors.known.get(each.name, ""))
        for each in page.partnerships
    ]


def follow(api: Entente, cursors: Cursors) -> None:
    """Watch until the stream ends, as every stream does some day."""
    watched = scopes(api, cursors)
    if not watched:
        time.sleep(LONGEST_PAUSE)
        return
    request = v1.WatchRequest(scopes=watched)
    for answer in api.call(api.journal.Watch, request, SECONDS_A_STREAM):
        # A heartbeat has no entry: it only says that the stream lives.
        if answer.WhichOneof("event") == "entry":
            handle(answer.entry)
            cursors.keep(answer.entry.scope, answer.cursor)


def main() -> None:
    """Follow for ever."""
    server = os.environ.get("ENTENTE_SERVER", "http://127.0.0.1:50051")
    api = Entente(server, os.environ.get("ENTENTE_API_KEY", ""))
    cursors = Cursors(os.environ.get("ENTENTE_CURSORS", "cursors.json"))
    pause = FIRST_PAUSE
    while True:
        before = dict(cursors.known)
        try:
            follow(api, cursors)
        except grpc.RpcError as error:
            if go_back(error, cursors):
                continue
            if error.code() in FOR_A_PERSON:
                sys.exit(f"error: {error.code().name}: {error.details()}")
            if error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
                print(f"{error.code().name}: {error.details()}; going on", file=sys.stderr)
        # What brought something worked: begin with short pauses again.
        pause = FIRST_PAUSE if cursors.known != before else min(pause * 2, LONGEST_PAUSE)
        time.sleep(pause * random.uniform(0.5, 1))


if __name__ == "__main__":
    main()
