"""Evaluates flags as an application in Python does: questions come in as JSON, and details go out as JSON."""

import json
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

asked = json.load(sys.stdin)
api.set_provider(OFREPProvider(asked["url"], headers_factory=lambda: asked["headers"]))
client = api.get_client()


def evaluate(question):
    values = dict(question["context"])
    context = EvaluationContext(values.pop("targetingKey", None), values)
    details = client.get_object_details(question["key"], {"text": "default"}, context)
    return {
        "value": details.value,
        "variant": details.variant,
        "reason": details.reason,
        "errorCode": details.error_code,
        "metadata": dict(details.flag_metadata),
    }


json.dump([evaluate(question) for question in asked["flags"]], sys.stdout)
