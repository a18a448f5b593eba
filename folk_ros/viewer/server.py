"""
Serve the page to browsers on this machine alone.

It binds 127.0.0.1, and answers only to requests that name that host: a foreign page that has its
name resolved to this machine (DNS rebinding) gets nothing.
"""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from folk_ros.pipeline import Folk
from folk_ros.structures import PointCloud
from folk_ros.viewer.payload import answers_json, cloud_bytes, scene_json

HOST = '127.0.0.1'
FILES = {'/': 'page.html', '/page.js': 'page.js', '/scene_view.js': 'scene_view.js'}
KINDS = {'.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8'}
POLICY = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'"


class Viewer(ThreadingHTTPServer):
    """A page about one segmented cloud; `serve_forever` answers until `shutdown`."""

    daemon_threads = True

    def __init__(self, folk: Folk, cloud: PointCloud, title: str = '', port: int = 0) -> None:
        """
        Bind a port, 0 being any free one; `folk` must have segmented `cloud`.

        Raises RuntimeError if it has not, OSError if the port is taken.
        """
        if folk.scene is None or folk.scene.num_points != len(cloud):
            raise RuntimeError('the viewer shows a segmented cloud: call Folk.segment first')
        self.folk, self.scene = folk, folk.scene
        self.documents = {
            '/cloud': ('application/octet-stream', cloud_bytes(cloud, self.scene)),
            '/scene': (
                'application/json',
                scene_json(cloud, self.scene, folk.name(self.scene), title),
            ),
        }
        for path, name in FILES.items():
            file = Path(__file__).with_name(name)
            self.documents[path] = (KINDS[file.suffix], file.read_bytes())
        super().__init__((HOST, port), _Handler)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f'http://{HOST}:{self.server_address[1]}/'


class _Handler(BaseHTTPRequestHandler):
    server: Viewer
    timeout = 30

    def do_GET(self) -> None:
        """Answer the page's requests: its files, the cloud, the objects, a question."""
        if self.headers.get('Host', '').rsplit(':', 1)[0] not in (HOST, 'localhost'):
            self._send(HTTPStatus.FORBIDDEN, 'text/plain', b'this page is for this machine alone')
            return
        place = urlsplit(self.path)
        if place.path in self.server.documents:
            self._send(HTTPStatus.OK, *self.server.documents[place.path])
        elif place.path == '/query':
            self._answer(parse_qs(place.query))
        else:
            self._send(HTTPStatus.NOT_FOUND, 'text/plain', b'there is no such page')

    def _answer(self, asked: dict[str, list[str]]) -> None:
        try:
            matches = self.server.folk.query(asked.get('text', []), scene=self.server.scene)
        except ValueError as error:
            problem = json.dumps({'problem': str(error)}).encode()
            self._send(HTTPStatus.BAD_REQUEST, 'application/json', problem)
            return
        self._send(HTTPStatus.OK, 'application/json', answers_json(matches))

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in (
            ('Content-Type', kind),
            ('Content-Length', str(len(body))),
            ('Content-Security-Policy', POLICY),
            ('X-Content-Type-Options', 'nosniff'),
            ('Cache-Control', 'no-store'),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep quiet: every request is the page's own."""
