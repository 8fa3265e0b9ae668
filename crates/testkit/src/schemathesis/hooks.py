"""What a generator of requests has to be told of a shop.

SOUK_KNOWN names what is there: `{"<beginning of a path>": {"<parameter>": "<value>"}}`. Half of the
requests that ask well ask for that, as what was made up is never there.
"""

import json
import os
import re

import schemathesis
from hypothesis import strategies

KNOWN = json.loads(os.environ.get("SOUK_KNOWN", "{}"))
ID = re.compile(r"[a-z]{3}_[0-9a-f]{32}|[A-Za-z0-9_-]{1,40}")
WAIT = re.compile(r"[0-9]{1,9}(ms|s)")

# What no schema can say, and is refused with 400 all the same.
BEYOND_SCHEMAS = (
    "cursor ",  # it is the shop's own, and no text that looks like one is one
    "query: ",  # texts are trimmed, and are on one line
    "if-match: ",  # patterns of these headers are not always kept
    "if-none-match: ",
    "the webhook is not signed",
    "the signature does not fit",
)


@schemathesis.hook
def flatmap_path_parameters(context, path_parameters):
    known = known_of(context, path_parameters)
    if not known:
        return strategies.just(path_parameters)
    return strategies.sampled_from([{**path_parameters, **known}, path_parameters])


@schemathesis.hook
def flatmap_body(context, body):
    known = known_of(context, body) if isinstance(body, dict) else {}
    if not known:
        return strategies.just(body)
    return strategies.sampled_from([{**body, **known}, body])


@schemathesis.hook
def before_call(context, case, kwargs):
    """Nobody waits as long as they may."""
    if case.query and WAIT.fullmatch(str(case.query.get("wait", ""))):
        case.query["wait"] = "20ms"


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if type(failure).__name__ != "RejectedPositiveData" or response.status_code != 400:
        return True
    detail = response.json().get("detail", "")
    return not detail.startswith(BEYOND_SCHEMAS)


def known_of(context, given):
    """What is known to be there, in the place of what reads as its name."""
    path = context.operation.path
    known = {}
    for beginning in sorted(KNOWN, key=len):
        if path.startswith(beginning):
            known.update(KNOWN[beginning])
    return {
        name: value
        for name, value in known.items()
        if isinstance(given, dict) and ID.fullmatch(str(given.get(name, "")))
    }
