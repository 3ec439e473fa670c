"""Stand in for the Hugging Face hub: serve one folder as a model to the hub's client."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serving(folder: Path, name: str) -> Iterator[tuple[str, list[str]]]:
    """Serve a folder as the only model, ``name``, of a hub on loopback; yield its address and the requested paths."""
    requested_paths: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            requested_paths.append(path)
            if path in (f"/api/models/{name}", f"/api/models/{name}/revision/main"):
                self._json(
                    {
                        "id": name,
                        "modelId": name,
                        "sha": COMMIT,
                        "private": False,
                        "tags": [],
                        "downloads": 0,
                        "likes": 0,
                        "siblings": [{"rfilename": file.name} for file in folder.iterdir()],
                    }
                )
            elif path == f"/api/models/{name}/tree/{COMMIT}":
                self._json(
                    [
                        {
                            "type": "file",
                            "path": file.name,
                            "size": file.stat().st_size,
                            "oid": digest(file),
                        }
                        for file in sorted(folder.iterdir())
                        if file.is_file()
                    ]
                )
            elif path.startswith(f"/{name}/resolve/{COMMIT}/"):
                self._file(folder / path.rpartition("/")[2])
            else:
                is_this_model = path.startswith(f"/api/models/{name}/")
                error_code = "RevisionNotFound" if is_this_model else "RepoNotFound"
                self._send(404, b"{}", {"X-Error-Code": error_code})

        do_HEAD = do_GET  # noqa: N815

        def _json(self, value: object) -> None:
            self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

        def _file(self, file: Path) -> None:
            self._send(
                200, file.read_bytes(), {"ETag": f'"{digest(file)}"', "X-Repo-Commit": COMMIT}
            )

        def _send(self, code: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(code)
            for header, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(header, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", requested_paths
        finally:
            server.shutdown()
            thread.join()


def digest(file: Path) -> str:
    """Return the name that git gives to a file's content."""
    data = file.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
