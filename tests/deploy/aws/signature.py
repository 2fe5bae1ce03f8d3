"""Signs a request as botocore does: JSON on standard input, the Authorization header on standard output.

Input: method, url, headers, body (base64), access_key, secret_key, token, service, region, time (20261120T120000Z).
"""

import base64
import datetime
import json
import sys
from unittest import mock

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def main():
    asked = json.load(sys.stdin)
    moment = datetime.datetime.strptime(asked["time"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    request = AWSRequest(asked["method"], asked["url"], asked["headers"], base64.b64decode(asked["body"]))
    credentials = Credentials(asked["access_key"], asked["secret_key"], asked["token"])
    with at(moment):
        auth.SigV4Auth(credentials, asked["service"], asked["region"]).add_auth(request)
    print(request.headers["Authorization"])


def at(moment):
    """Stops botocore's clock, whichever of its two names for it this version has."""
    if hasattr(auth, "get_current_datetime"):
        return mock.patch.object(auth, "get_current_datetime", lambda remove_tzinfo=True: moment.replace(tzinfo=None))
    stopped = mock.Mock(wraps=datetime.datetime)
    stopped.utcnow.return_value = moment.replace(tzinfo=None)
    return mock.patch.object(auth.datetime, "datetime", stopped)


main()
