"""Notes in SQLite: a file of the actor's own root file system is part of its snapshot, like its memory."""

import json
import sqlite3
from http.server import BaseHTTPRequestHandler, HTTPServer

database = sqlite3.connect("/app/notes.db")
database.execute("create table if not exists notes (text text not null)")


class Notes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/healthz":
            return self.answer("text/plain", b"ok")
        notes = [text for (text,) in database.execute("select text from notes order by rowid")]
        self.answer("application/json", json.dumps({"notes": notes}).encode() + b"\n")

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        with database:
            database.execute("insert into notes values (?)", (text,))
        self.do_GET()

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


HTTPServer(("0.0.0.0", 8080), Notes).serve_forever()
