"""Strict check of a Finding's JSON against the table of its fields."""
import csv
import os
import re

PLACES = [os.environ.get("DAVYLAMP_SHARED", ""),
          os.path.join(os.path.dirname(__file__), "../../../shared")]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
# Immutable or not, a body must not set these.
SET_BY_SERVER = {"OUTPUT_ONLY", "IDENTIFIER"}


def shared(name):
    """A file of the shared reference, or None where it is not there."""
    for place in PLACES:
        path = os.path.join(place, name)
        if place and os.path.exists(path):
            return path
    return None


def table(version):
    """path -> (type, repeated, behaviour, enum values), or None."""
    path = shared("scc/finding-fields-%s.tsv" % version)
    if not path:
        return None
    with open(path) as f:
        return {r["path"]: (r["type"], r["repeated"] == "repeated",
                            r["behaviour"] or "",
                            (r["enum_values"] or "").split(","))
                for r in csv.DictReader(f, delimiter="\t")}


def check_value(t, path, kind, enums, value, errors):
    good = True
    if kind == "string":
        good = isinstance(value, str)
    elif kind == "bool":
        good = isinstance(value, bool)
    elif kind == "int32":
        good = isinstance(value, int) and -2**31 <= value < 2**31
    elif kind.startswith("int64"):
        good = isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value)
    elif kind in ("double", "float"):
        good = isinstance(value, (int, float))
    elif kind.startswith("enum"):
        good = value in enums
    elif kind == "google.protobuf.Timestamp":
        good = isinstance(value, str) and TIME.fullmatch(value)
    elif kind.startswith("map<"):
        good = isinstance(value, dict)
    elif isinstance(value, dict):
        check_fields(t, path + ".", value, errors)
    else:
        good = False
    if not good:
        errors.append("%s: %r is no %s" % (path, value, kind))


def check_fields(t, prefix, body, errors):
    for key, value in body.items():
        path = prefix + key
        if path not in t:
            errors.append("%s: no such field" % path)
            continue
        kind, repeated, behaviour, enums = t[path]
        # gcloud itself sends state, which the proto calls output only
        if behaviour in SET_BY_SERVER and path != "state":
            errors.append("%s: set by the server only" % path)
        if repeated and not isinstance(value, list):
            errors.append("%s: must be a list" % path)
            continue
        for v in value if repeated else [value]:
            check_value(t, path, kind, enums, v, errors)


def check(t, body):
    """The list of what is wrong with @body; [] is good."""
    errors = []
    if not isinstance(body, dict):
        return ["not an object"]
    check_fields(t, "", body, errors)
    for key in body.get("sourceProperties", {}):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,254}", key):
            errors.append("sourceProperties: key %r" % key)
    for s in body.get("indicator", {}).get("signatures", []):
        if ("yaraRuleSignature" in s) == ("memoryHashSignature" in s):
            errors.append("indicator.signatures: one of two per element")
    return errors
