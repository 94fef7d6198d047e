"""Answers questions, one JSON document a line, until the input ends."""

import json
import sys

from flags import flags
from openfeature.evaluation_context import EvaluationContext

ASK = {
    "boolean": flags.get_boolean_details,
    "string": flags.get_string_details,
    "integer": flags.get_integer_details,
    "float": flags.get_float_details,
    "object": flags.get_object_details,
}


def answer(question):
    attributes = dict(question.get("context", {}))
    user = EvaluationContext(attributes.pop("targetingKey", None), attributes)
    asked = ASK[question["type"]](question["flag"], question["default"], user)
    return {
        "value": asked.value,
        "variant": asked.variant,
        "reason": asked.reason,
        "errorCode": asked.error_code,
        "errorMessage": asked.error_message,
        "metadata": asked.flag_metadata,
    }


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
