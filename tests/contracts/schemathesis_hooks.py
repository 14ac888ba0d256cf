"""How Schemathesis writes a media type that it does not know: as text, whatever was generated."""

import json

import schemathesis


@schemathesis.serializer("application/jsonl")
def jsonl(context, value):
    return (value if isinstance(value, str) else json.dumps(value)).encode()
