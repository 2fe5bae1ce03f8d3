"""moto's DynamoDB, and what moto lacks of the real one: one write at a time, a transaction known again by its token, and
all that was written still there after a kill.

Started as: moto_server.py PORT JOURNAL. The journal takes every write before it is made; a second start makes them again.
"""

import json
import os
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
from werkzeug.test import Client

READS = ("GetItem", "BatchGetItem", "Query", "DescribeTable")


class Database:
    def __init__(self, moto, journal):
        self.moto = moto
        self.lock = threading.Lock()
        self.transactions = {}
        self.make_again(journal)
        self.journal = open(journal, "a")

    def __call__(self, environ, start_response):
        action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with self.lock:
            if action not in READS:
                self.journal.write(json.dumps([action, body.decode()]) + "\n")
                self.journal.flush()
            status, headers, answer = self.answer(action, body)
        start_response(status, headers)
        return [answer]

    def answer(self, action, body):
        token = json.loads(body).get("ClientRequestToken") if action == "TransactWriteItems" else None
        if token in self.transactions:
            return self.transactions[token]
        reply = Client(self.moto).post(
            "/",
            data=body,
            headers={
                "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Target": f"DynamoDB_20120810.{action}",
                "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-central-1/dynamodb/aws4_request, "
                "SignedHeaders=host, Signature=0",
            },
        )
        answer = (reply.status, [("Content-Type", "application/x-amz-json-1.0")], reply.get_data())
        if token and reply.status_code == 200:
            self.transactions[token] = answer
        return answer

    def make_again(self, journal):
        if not os.path.exists(journal):
            return
        with open(journal) as lines:
            for line in lines:
                if line.endswith("\n"):  # else the kill came while it was written, and it was not made
                    action, body = json.loads(line)
                    self.answer(action, body.encode())


def main():
    port, journal = int(sys.argv[1]), sys.argv[2]
    database = Database(DomainDispatcherApplication(create_backend_app), journal)
    make_server("127.0.0.1", port, database, threaded=True).serve_forever()


main()
