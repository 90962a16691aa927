#!/usr/bin/env python3
"""A fake of Google's side on loopback: SCC (v1 and v2), the metadata server,
OAuth, STS and Pub/Sub, that checks bodies strictly and can fail in every way.

    fake.py [PORT]      runs it for real clients; tests import Fake.
"""
import base64
import json
import os
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fields  # noqa: E402

ORG, SOURCE = "1", "organizations/1/sources/2"
PATHS = {
    "project/project-id": "proj-1",
    "project/numeric-project-id": "42",
    "instance/zone": "projects/42/zones/europe-west1-b",
    "instance/id": "1234567890123456789",
    "instance/name": "vm-1",
    "instance/service-accounts/default/email": "sa@proj-1.example",
}


def error(code, status, message="m", reason=None, metadata=None):
    """A reply as Google's APIs make them: (code, body)."""
    e = {"code": code, "status": status, "message": message}
    if reason:
        e["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo",
                         "reason": reason, "domain": "googleapis.com",
                         "metadata": metadata or {}}]
    return code, json.dumps({"error": e})


FAULTS = {
    "401": error(401, "UNAUTHENTICATED", "expired", "ACCESS_TOKEN_EXPIRED"),
    "403 permission": error(403, "PERMISSION_DENIED", "no",
                            "IAM_PERMISSION_DENIED"),
    "403 scope": error(403, "PERMISSION_DENIED", "scopes",
                       "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
    "403 disabled": error(403, "PERMISSION_DENIED", "off", "SERVICE_DISABLED",
                          {"consumer": "projects/proj-1"}),
    "403 organization": error(403, "PERMISSION_DENIED",
                              "The caller is not in organization 1"),
    "403 perimeter": error(403, "PERMISSION_DENIED",
                           "Request is prohibited by policy",
                           "SECURITY_POLICY_VIOLATED"),
    "404": error(404, "NOT_FOUND", "Source not found"),
    "400": error(400, "INVALID_ARGUMENT", "bad field \x1b[31m"),
    "400 inactive": error(400, "FAILED_PRECONDITION", "SCC is not active"),
    "429": error(429, "RESOURCE_EXHAUSTED", "quota", "RATE_LIMIT_EXCEEDED"),
    "500": error(500, "INTERNAL"),
    "502": (502, "<html>Bad Gateway</html>"),
    "503": error(503, "UNAVAILABLE"),
    "504": error(504, "DEADLINE_EXCEEDED"),
    "407": (407, "proxy"),
    "302": (302, ""),
    "html": (200, "<html><body>Welcome to the hotel</body></html>"),
    "empty": (200, ""),
    "not this finding": (200, '{"name": "organizations/1/sources/2/x"}'),
    "nested": (200, "[" * 100000),
}


class Fake:
    """State shared by the connections; start() serves until stop()."""

    def __init__(self, port=0):
        self.lock = threading.Lock()
        self.findings = {}      # (version, id) -> finding
        self.messages = []      # published, decoded
        self.sources = [{"name": SOURCE, "displayName": "davylamp"}]
        self.requests = []      # (time, method, path)
        self.complaints = []    # bodies that break the rules
        self.faults = []        # [substring of path, name, times, more]
        self.forms = []         # of the token endpoints
        self.token = "ya29.fake-token"
        self.expires_in = 3600
        self.tokens_given = 0
        self.connections = 0
        self.account = True
        self.flavor = True
        self.state_is_ours = False  # as v2's protos say: only setState sets
        self.tables = {v: fields.table(v) for v in ("v1", "v2")}
        fake = self

        class H(Handler):
            state = fake

        self.server = ThreadingHTTPServer(("127.0.0.1", port), H)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = "http://127.0.0.1:%d" % self.port

    def start(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,),
                         daemon=True).start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def fail(self, path, name, times=1, **more):
        self.faults.append([path, name, times, more])

    def take_fault(self, path):
        with self.lock:
            for f in self.faults:
                if f[0] in path and f[2]:
                    f[2] -= 1
                    return f
        return None

    def made(self, method, part=""):
        return [r for r in self.requests
                if r[1] == method and part in r[2]]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state = None
    timeout = 60

    def log_message(self, *args):
        pass

    def setup(self):
        super().setup()
        self.state.connections += 1
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def reply(self, code, body, headers=()):
        data = body if isinstance(body, bytes) else body.encode()
        head = "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n" % code
        for h in headers:
            head += "%s: %s\r\n" % h
        head += "Content-Length: %d\r\n\r\n" % len(data)
        self.wfile.write(head.encode() + data)

    def reply_json(self, value, headers=()):
        self.reply(200, json.dumps(value), headers)

    # ---- faults --------------------------------------------------------

    def misbehave(self, name, more):
        self.close_connection = True
        if name == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
            self.connection.close()
        elif name == "truncated":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n"
                             b"\r\n{\"name\":")
        elif name == "1 GB":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: "
                             b"1073741824\r\n\r\n")
            self.flood(b" " * 65536, 16384)
        elif name == "endless headers":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            self.flood(b"X: " + b"y" * 1000 + b"\r\n", 1000000)
        elif name == "one byte a second":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: "
                             b"1000\r\n\r\n")
            for _ in range(100):
                self.flood(b" ", 1)
                time.sleep(1)
        else:
            code, body = FAULTS[name]
            self.close_connection = False
            extra = [("Retry-After", more["after"])] if "after" in more else []
            self.reply(code, body, extra)

    def flood(self, piece, times):
        try:
            for _ in range(times):
                self.wfile.write(piece)
        except OSError:
            pass

    # ---- requests ------------------------------------------------------

    def handle_any(self):
        s = self.state
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        with s.lock:
            s.requests.append((time.time(), self.command, self.path))
        fault = s.take_fault(self.path)
        try:
            if fault:
                self.misbehave(fault[1], fault[3])
            else:
                self.route(raw)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = do_PATCH = handle_any

    def route(self, raw):
        path, _, query = self.path.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        if path.startswith("/computeMetadata/v1/"):
            return self.metadata(path[20:])
        if path in ("/token", "/sts"):
            return self.oauth(path, raw)
        wanted = ("Bearer federated" if path == "/impersonate" else
                  "Bearer " + self.state.token)
        if self.headers.get("Authorization") != wanted:
            return self.reply(*FAULTS["401"])
        body = json.loads(raw) if raw else None
        if path == "/impersonate":
            return self.reply_json({"accessToken": self.state.token,
                                    "expireTime": "2030-01-01T00:00:00Z"})
        if path.endswith(":publish"):
            return self.publish(path, body)
        m = re.fullmatch(r"/(v[12])/organizations/(\d+)/sources", path)
        if m:
            return self.source(m.group(2), body)
        m = re.fullmatch(r"/(v[12])/organizations/(\d+)/sources/(\d+|-)"
                         r"(?:/locations/(\w+))?/findings(?:/(\w+))?"
                         r"(:setState)?", path)
        if not m:
            return self.reply(*error(404, "NOT_FOUND", "no such method"))
        if m.group(3) not in ("2", "-"):
            return self.reply(*FAULTS["404"])
        with self.state.lock:
            self.finding(m, query, body)

    def metadata(self, path):
        s = self.state
        if self.headers.get("Metadata-Flavor") != "Google":
            return self.reply(403, "missing header")
        flavor = [("Metadata-Flavor", "Google")] if s.flavor else []
        if "default" in path and not s.account:
            return self.reply(404, "not found", flavor)
        if path.endswith("/token"):
            s.tokens_given += 1
            return self.reply_json({"access_token": s.token,
                                    "expires_in": s.expires_in,
                                    "token_type": "Bearer"}, flavor)
        if path not in PATHS:
            return self.reply(404, "not found", flavor)
        self.reply(200, PATHS[path], flavor)

    def oauth(self, path, raw):
        form = dict(urllib.parse.parse_qsl(raw.decode()))
        self.state.forms.append(form)
        self.state.tokens_given += 1
        token = self.state.token
        if path == "/sts":
            if form.get("subject_token") != "subject.of.another":
                return self.reply(400, '{"error": "invalid_grant"}')
            token = "federated"
        self.reply_json({"access_token": token, "expires_in": 3600,
                         "token_type": "Bearer"})

    def source(self, organization, body):
        s = self.state
        if organization != ORG:
            return self.reply(*FAULTS["403 organization"])
        if self.command == "GET":
            return self.reply_json({"sources": s.sources})
        body["name"] = "organizations/%s/sources/77" % organization
        s.sources.append(body)
        self.reply_json(body)

    def publish(self, path, body):
        for m in body["messages"]:
            data = json.loads(base64.b64decode(m["data"], validate=True))
            self.state.messages.append((data, m.get("attributes")))
        self.reply_json({"messageIds": ["1"] * len(body["messages"])})

    # ---- findings ------------------------------------------------------

    def complain(self, text):
        self.state.complaints.append(text)
        self.reply(*error(400, "INVALID_ARGUMENT", text))

    def finding(self, m, query, body):
        version, key = m.group(1), (m.group(1), m.group(5))
        s = self.state
        if self.command == "GET":
            return self.list(version)
        if m.group(6):
            return self.set_state(version, key, body)
        t = s.tables[version]
        wrong = fields.check(t, body) if t else []
        if wrong:
            return self.complain("; ".join(wrong))
        for need in ("category", "resourceName", "eventTime", "state"):
            if not body.get(need):
                return self.complain(need + ": required")
        name = self.path[4:].partition("?")[0]
        if self.command == "POST":
            key = (version, query.get("findingId", ""))
            if not re.fullmatch(r"[A-Za-z0-9]{1,32}", key[1]):
                return self.complain("findingId")
            if key in s.findings:
                return self.reply(*error(409, "ALREADY_EXISTS"))
            body["name"] = name + "/" + key[1]
            body["createTime"] = body["eventTime"]
            if s.state_is_ours:
                body["state"] = "ACTIVE"
            s.findings[key] = body
        else:
            if key not in s.findings:
                return self.reply(*error(404, "NOT_FOUND", "no finding"))
            self.patch(s.findings[key], body, query)
        self.reply_json(s.findings[key])

    def patch(self, old, body, query):
        for path in query.get("updateMask", "").split(","):
            key, _, inner = path.partition(".")
            if path == "state" and self.state.state_is_ours:
                continue
            if inner:
                old.setdefault(key, {})[inner] = body[key][inner]
            else:
                old[key] = body[key]

    def set_state(self, version, key, body):
        need = {"state"} if version == "v2" else {"state", "startTime"}
        if set(body) != need or body["state"] not in ("ACTIVE", "INACTIVE"):
            return self.complain("setState: %r" % body)
        if key not in self.state.findings:
            return self.reply(*error(404, "NOT_FOUND", "no finding"))
        self.state.findings[key]["state"] = body["state"]
        self.reply_json(self.state.findings[key])

    def list(self, version):
        found = [{"finding": f, "resource": {"name": f["resourceName"]}}
                 for (v, _), f in self.state.findings.items() if v == version]
        self.reply_json({"listFindingsResults": found,
                         "totalSize": len(found)})


if __name__ == "__main__":
    it = Fake(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(it.url, flush=True)
    it.server.serve_forever()
