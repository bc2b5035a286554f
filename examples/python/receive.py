"""Receives what a subscription posts, checks that it is genuine, and prints it. See README.md.

Needs nothing but Python. Settings come from the environment:
  ENTENTE_SUBSCRIPTION_SECRET  what CreateSubscription answered as `secret`
  PORT                         where to listen on this machine; default 8080
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import time
import typing

# What is older may be somebody's replay.
OLDEST_SECONDS = 300
# No post is larger.
BYTES_MAX = 4 * 1024 * 1024


def is_genuine(secret: str, headers, body: bytes) -> bool:
    """Whether a post was signed with the secret, and lately."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    moment = headers.get("webhook-timestamp", "")
    signed = f"{headers.get('webhook-id', '')}.{moment}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    # While a secret is being changed there are two signatures.
    given = headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(expected, each) for each in given):
        return False
    return abs(time.time() - int(moment)) <= OLDEST_SECONDS


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers posts. Any 2xx says that we have it; anything else, and it comes again."""

    secret = ""
    # The ids that were seen: every entry comes at least once. A real program keeps them in its
    # database, in the transaction in which it does something about them.
    seen: typing.ClassVar[set] = set()

    def do_POST(self) -> None:
        """Take one event."""
        size = int(self.headers.get("content-length", "0"))
        body = self.rfile.read(size) if size <= BYTES_MAX else b""
        if not is_genuine(self.secret, self.headers, body):
            self.answer(401)
            return
        event = json.loads(body)
        if event["id"] not in self.seen:
            self.seen.add(event["id"])
            ours = [
                f"{each['system']} {each['id']}"
                for each in event["data"].get("externalReferences", [])
            ]
            print(event["type"], event["subject"], *ours, flush=True)
        self.answer(204)

    def answer(self, code: int) -> None:
        """Answer with a code and nothing else."""
        self.send_response(code)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing about each request."""


def main() -> None:
    """Receive for ever."""
    Receiver.secret = os.environ.get("ENTENTE_SUBSCRIPTION_SECRET", "")
    if not Receiver.secret:
        sys.exit("error: set ENTENTE_SUBSCRIPTION_SECRET")
    address = ("127.0.0.1", int(os.environ.get("PORT", "8080")))
    http.server.ThreadingHTTPServer(address, Receiver).serve_forever()


if __name__ == "__main__":
    main()
