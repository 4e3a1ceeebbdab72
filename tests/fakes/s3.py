"""The part of S3 that state in a bucket stands on, as a real server on loopback: conditional writes, lists, dates.

Rules are those of the Amazon S3 API Reference (PutObject, GetObject, DeleteObject, ListObjectsV2, multipart uploads)
and of its User Guide, "How to prevent object overwrites with conditional writes". A signature must be there and name
the key; whether it is right is not checked. Troubles are planted by the test: a lost answer, a wait, a refusal.
"""

# ruff: noqa: D105, D107 - the methods are a server's

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from types import TracebackType

BUCKET = "state"
KEY = "AKIAFAKE"
SECRET = "made-up-secret-of-a-test"
PAGE = 1_000


@dataclass(frozen=True)
class Stored:
    """One object."""

    body: bytes
    tag: str
    modified: float


@dataclass
class Trouble:
    """What happens to the next requests of a method whose key holds `part`.

    `lose` does what is asked and cuts the connection, `cut` cuts it before; `refuse` answers 503, `deny` 403 and `meet`
    409; `unable` answers 501 to a condition, and `ignore` does not look at conditions. `hold` waits for `gate` before
    it does anything, and says through `came` that it waits.
    """

    kind: Literal["lose", "cut", "refuse", "deny", "meet", "unable", "ignore", "hold"]
    method: str = "PUT"
    part: str = ""
    times: int = 1
    gate: threading.Event = field(default_factory=threading.Event)
    came: threading.Event = field(default_factory=threading.Event)


class S3Server:
    """One bucket; a context manager that serves while it is open."""

    def __init__(self, *, page: int = PAGE) -> None:
        self.objects: dict[str, Stored] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.troubles: list[Trouble] = []
        self.log: list[tuple[str, str]] = []
        self.ahead_seconds = 0.0
        self.page = page
        self.turn = threading.RLock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.bucket = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        """Return the endpoint."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """Return what a client finds in its environment."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self.troubles:
            each.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def now(self) -> float:
        """Return the server's time, which tests move ahead."""
        return time.time() + self.ahead_seconds

    def put(self, key: str, body: bytes, tag: str = "") -> Stored:
        """Keep an object."""
        stored = Stored(body, tag or f'"{hashlib.md5(body).hexdigest()}"', self.now())  # noqa: S324 - S3's entity tag
        self.objects[key] = stored
        return stored

    def trouble_for(self, method: str, key: str) -> Trouble | None:
        """Return the first trouble that meets this request, used up by one."""
        with self.turn:
            self.log.append((method, key))
            for each in self.troubles:
                if each.times and each.method == method and each.part in key:
                    each.times -= 1
                    return each
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    bucket: S3Server

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class _Answered(Exception):  # noqa: N818 - an answer, not an error
    """The request ends here."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        bucket, _, self.key = unquote(parts.path).lstrip("/").partition("/")
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        trouble = self.server.bucket.trouble_for(self.command, self.key)
        kind = trouble.kind if trouble else ""
        if trouble and kind == "hold":
            trouble.came.set()
            trouble.gate.wait(30)
        try:
            if kind == "cut":
                self._cut()
                return
            self._check(bucket, kind)
            with self.server.bucket.turn:
                status, headers, body = self._answer()
        except _Answered as answer:
            text = f"<Error><Code>{answer.code}</Code><Message>Key {KEY} of {SECRET}</Message></Error>".encode()
            status, headers, body = answer.status, {"Content-Type": "application/xml"}, text
        if kind == "lose":
            self._cut()
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", headers.get("Content-Length", str(len(body))))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _check(self, bucket: str, kind: str) -> None:
        if kind in {"refuse", "deny", "meet"}:
            refusals = {"refuse": (503, "SlowDown"), "deny": (403, "AccessDenied")}
            raise _Answered(*refusals.get(kind, (409, "ConditionalRequestConflict")))
        if kind == "unable" and (self.headers.get("If-None-Match") or self.headers.get("If-Match")):
            raise _Answered(501, "NotImplemented")
        if kind == "ignore":
            del self.headers["If-None-Match"], self.headers["If-Match"]
        signature = self.headers.get("Authorization", "")
        if not signature.startswith(f"AWS4-HMAC-SHA256 Credential={KEY}/") or "Signature=" not in signature:
            raise _Answered(403, "SignatureDoesNotMatch")
        digest = self.headers.get("x-amz-content-sha256", "")
        if digest != "UNSIGNED-PAYLOAD" and digest != hashlib.sha256(self.body).hexdigest():
            raise _Answered(400, "XAmzContentSHA256Mismatch")
        if bucket != BUCKET:
            raise _Answered(404, "NoSuchBucket")

    def _answer(self) -> tuple[int, dict[str, str], bytes]:  # noqa: PLR0911 - one a verb
        bucket = self.server.bucket
        if self.command == "PUT":
            return self._part() if "partNumber" in self.query else self._put()
        if self.command == "DELETE":
            bucket.objects.pop(self.key, None)
            return 204, {}, b""
        if self.command == "POST":
            return self._post()
        if not self.key:
            return self._list()
        stored = bucket.objects.get(self.key)
        if stored is None:
            raise _Answered(404, "NoSuchKey")
        headers = {"ETag": stored.tag, "Last-Modified": formatdate(int(stored.modified), usegmt=True)}
        if self.command == "HEAD":
            return 200, {**headers, "Content-Length": str(len(stored.body))}, b""
        span = self.headers.get("Range", "")
        if not span:
            return 200, headers, stored.body
        first, last = (int(each) for each in span.removeprefix("bytes=").split("-"))
        if first >= len(stored.body):
            raise _Answered(416, "InvalidRange")
        body = stored.body[first : last + 1]
        return 206, {**headers, "Content-Range": f"bytes {first}-{first + len(body) - 1}/{len(stored.body)}"}, body

    def _put(self) -> tuple[int, dict[str, str], bytes]:
        stored = self.server.bucket.objects.get(self.key)
        if self.headers.get("If-None-Match") == "*" and stored is not None:
            raise _Answered(412, "PreconditionFailed")
        wanted = self.headers.get("If-Match")
        if wanted is not None and stored is None:
            raise _Answered(404, "NoSuchKey")
        if wanted is not None and stored is not None and wanted != stored.tag:
            raise _Answered(412, "PreconditionFailed")
        return 200, {"ETag": self.server.bucket.put(self.key, self.body).tag}, b""

    def _part(self) -> tuple[int, dict[str, str], bytes]:
        parts = self.server.bucket.uploads[self.query["uploadId"]]
        parts[int(self.query["partNumber"])] = self.body
        return 200, {"ETag": f'"{hashlib.md5(self.body).hexdigest()}"'}, b""  # noqa: S324 - S3's entity tag

    def _post(self) -> tuple[int, dict[str, str], bytes]:
        bucket = self.server.bucket
        headers = {"Content-Type": "application/xml"}
        if "uploads" in self.query:
            name = f"upload-{len(bucket.uploads)}"
            bucket.uploads[name] = {}
            text = f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>"
            return 200, headers, text.encode()
        if "uploadId" in self.query:
            parts = bucket.uploads.pop(self.query["uploadId"])
            body = b"".join(parts[number] for number in sorted(parts))
            stored = bucket.put(self.key, body, f'"{hashlib.md5(body).hexdigest()}-{len(parts)}"')  # noqa: S324 - as above
            text = f"<CompleteMultipartUploadResult><ETag>{escape(stored.tag)}</ETag></CompleteMultipartUploadResult>"
            return 200, headers, text.encode()
        names = [each.text or "" for each in ET.fromstring(self.body).iter() if each.tag.endswith("Key")]  # noqa: S314 - our own client's
        for name in names:
            bucket.objects.pop(name, None)
        gone = "".join(f"<Deleted><Key>{escape(name)}</Key></Deleted>" for name in names)
        return 200, headers, f"<DeleteResult>{gone}</DeleteResult>".encode()

    def _list(self) -> tuple[int, dict[str, str], bytes]:
        bucket = self.server.bucket
        prefix = self.query.get("prefix", "")
        after = self.query.get("continuation-token") or self.query.get("start-after", "")
        size = min(bucket.page, int(self.query.get("max-keys", PAGE)))
        names = sorted(name for name in bucket.objects if name.startswith(prefix) and name > after)
        told = "".join(
            f"<Contents><Key>{escape(name)}</Key><LastModified>{_iso(bucket.objects[name].modified)}</LastModified>"
            f"<ETag>{escape(bucket.objects[name].tag)}</ETag><Size>{len(bucket.objects[name].body)}</Size></Contents>"
            for name in names[:size]
        )
        if len(names) > size:
            told += f"<NextContinuationToken>{escape(names[size - 1])}</NextContinuationToken>"
        cut = str(len(names) > size).lower()
        text = f"<ListBucketResult><IsTruncated>{cut}</IsTruncated>{told}</ListBucketResult>"
        return 200, {"Content-Type": "application/xml"}, text.encode()


def _iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(moment))
