"""A stand-in of the hub's HTTP interface on 127.0.0.1, which keeps repositories in memory."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Hub:
    """What was uploaded: the files of each repository by name."""

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    address: str = ""

    def commit(self, name: str) -> str:
        """A hash of the state of a repository, as git has one."""
        return hashlib.sha1(repr(sorted(self.repositories[name].items())).encode()).hexdigest()


@contextmanager
def serving() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def answer(self, status: int, content: object = None, headers: dict[str, str] | None = None) -> None:
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            if "Content-Length" not in (headers or {}):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def refuse(self, code: str) -> None:
            self.answer(404, {"error": code}, {"X-Error-Code": code, "X-Error-Message": code})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            hub.tokens.add(self.headers.get("Authorization", ""))
            path = self.path.partition("?")[0]
            if path == "/api/repos/create":
                said = json.loads(body)
                name = f"{said['organization']}/{said['name']}" if said.get("organization") else said["name"]
                if said.get("private") or said.get("visibility") == "private":
                    hub.private.add(name)
                hub.repositories.setdefault(name, {})
                self.answer(200, {"url": f"{hub.address}/{name}", "name": name, "id": name})
            elif path == "/api/validate-yaml":
                self.answer(200, {"errors": [], "warnings": []})
            elif found := re.fullmatch(r"/api/models/(.+/.+)/preupload/[^/]+", path):
                files = [
                    {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                    for one in json.loads(body)["files"]
                ]
                self.answer(200, {"files": files})
            elif found := re.fullmatch(r"/api/models/(.+/.+)/commit/[^/]+", path):
                name = found.group(1)
                for line in map(json.loads, body.splitlines()):
                    if line["key"] == "file":
                        hub.repositories[name][line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                commit = hub.commit(name)
                address = f"{hub.address}/{name}/commit/{commit}"
                self.answer(200, {"success": True, "commitOid": commit, "commitUrl": address, "hookOutput": ""})
            else:
                hub.unknown.append(f"POST {self.path}")
                self.answer(404, {"error": "unknown"})

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/[^/]+)?", path):
                name = found.group(1)
                if name not in hub.repositories:
                    self.refuse("RepoNotFound")
                    return
                files = hub.repositories[name]
                tree = [
                    {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                    for path, content in files.items()
                ]
                siblings = [{"rfilename": path} for path in files]
                whole = {"id": name, "modelId": name, "sha": hub.commit(name), "private": False, "siblings": siblings}
                self.answer(200, tree if found.group(2) == "tree" else whole)
            elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
                name, _, file = found.groups()
                if name not in hub.repositories:
                    self.refuse("RepoNotFound")
                elif file not in hub.repositories[name]:
                    self.refuse("EntryNotFound")
                else:
                    content = hub.repositories[name][file]
                    tag = f'"{hashlib.sha1(content).hexdigest()}"'
                    size = {"Content-Length": str(len(content)), "X-Repo-Commit": hub.commit(name), "ETag": tag}
                    self.answer(200, content, size)
            else:
                hub.unknown.append(f"{self.command} {self.path}")
                self.answer(404, {"error": "unknown"})

        do_HEAD = do_GET

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
