"""Makes one chat call with OpenAI's SDK for Python and says how it went, in one line of JSON.

    python tests/sdk/retries_python.py http://127.0.0.1:3000/gateway/demo/v1 '{"x-demo-status":"500"}' 2

The arguments are the base URL of a service, the headers that make the provider misbehave, and the
SDK's max_retries. Whoever runs this counts, at the provider, how many calls arrived.
"""

import json
import os
import sys
import time

import openai

base_url, misbehaviour, max_retries = sys.argv[1:4]
client = openai.OpenAI(
    base_url=base_url,
    api_key=os.environ.get("TWINLANE_TOKEN", "sk-demo"),
    max_retries=int(max_retries),
    timeout=60,
)


def call():
    try:
        client.chat.completions.create(
            model="demo",
            messages=[{"role": "user", "content": "hello"}],
            extra_headers=json.loads(misbehaviour),
        )
    except openai.APIError as error:
        status = getattr(error, "status_code", None)
        return {"ok": False, "status": status, "error_class": type(error).__name__}
    return {"ok": True, "status": 200, "error_class": None}


began = time.monotonic()
outcome = call()
print(json.dumps({**outcome, "seconds": round(time.monotonic() - began, 3)}))
