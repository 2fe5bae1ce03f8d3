"""Reads OTLP requests with OpenTelemetry's own schema and prints them as JSON.

The arguments are pairs: `traces` or `metrics`, and a request in hexadecimal. Each line of the output is one request.
Whatever the schema does not know ends the program: a collector would pass over it in silence.
"""

import json
import sys

from google.protobuf.json_format import MessageToDict
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = {"traces": ExportTraceServiceRequest, "metrics": ExportMetricsServiceRequest}


def refuse_unknown(message):
    if len(UnknownFieldSet(message)):
        sys.exit(f"unknown fields in {message.DESCRIPTOR.name}")
    for field, value in message.ListFields():
        if field.message_type:
            for inner in value if field.is_repeated else [value]:
                refuse_unknown(inner)


for kind, written in zip(sys.argv[1::2], sys.argv[2::2]):
    request = REQUESTS[kind].FromString(bytes.fromhex(written))
    refuse_unknown(request)
    print(json.dumps(MessageToDict(request)))
