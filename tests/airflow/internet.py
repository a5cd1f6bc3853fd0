"""Stands in for the clouds at the last step before the wire, so that all of the providers' own code runs.

Two seams: `requests` (Google, Azure) and botocore's HTTP session (AWS).
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit


@dataclass
class Request:
    """What was asked: host, path, query, headers, and the fields of a form or of JSON."""

    method: str
    host: str
    path: str
    query: str
    headers: dict[str, str]
    body: str

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body).items()}

    @property
    def authorization(self) -> str:
        return self.headers.get("authorization", "")


def parsed(method, url, headers, body) -> Request:
    parts = urlsplit(url)
    body = body.decode() if isinstance(body, bytes) else body or ""
    texts = {str(key).lower(): text(value) for key, value in headers.items()}
    return Request(method, parts.hostname or "", parts.path, parts.query, texts, body)


def text(value) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class Internet:
    def __init__(self):
        self.requests: list[Request] = []
        self.answers: dict[str, object] = {}

    def answer(self, host: str, path: str, body) -> None:
        """What a host says to a path: JSON, or a text as it is."""
        self.answers[host + path] = body

    def asked(self, host: str, path: str = "") -> list[Request]:
        """The requests to a host, at a path or below."""
        return [request for request in self.requests if request.host == host and request.path.startswith(path)]

    def reply(self, request: Request) -> tuple[bytes, str]:
        self.requests.append(request)
        place = request.host + request.path
        assert place in self.answers, f"nobody answers {request.method} {place}"
        body = self.answers[place]
        if isinstance(body, str):
            return body.encode(), "application/xml"
        return json.dumps(body).encode(), "application/json"

    def install(self, monkeypatch) -> Internet:
        from botocore.awsrequest import AWSResponse
        from botocore.httpsession import URLLib3Session
        from requests import Response
        from requests.adapters import HTTPAdapter
        from urllib3 import HTTPResponse

        def send(_, request, **__):
            body, kind = self.reply(parsed(request.method, request.url, request.headers, request.body))
            response = Response()
            response.status_code, response.url, response.request = 200, request.url, request
            response.headers["Content-Type"] = kind
            response.raw = HTTPResponse(io.BytesIO(body), headers=response.headers, status=200, preload_content=False)
            return response

        class Raw(io.BytesIO):
            def stream(self, **_):
                yield self.read()

        def send_aws(_, request):
            body, kind = self.reply(parsed(request.method, request.url, request.headers, request.body))
            return AWSResponse(request.url, 200, {"content-type": kind}, Raw(body))

        monkeypatch.setattr(HTTPAdapter, "send", send)
        monkeypatch.setattr(URLLib3Session, "send", send_aws)
        return self
