"""A service like AniList, on 127.0.0.1: its schema, its answers, and the faults a test asks for.

    with FakeAniList() as anilist:
        frieren = anilist.add_media("Sousou no Frieren", episodes=28)
        ann = anilist.add_user("ann")
        anilist.list_entry(ann, frieren, progress=13)
        … point api_url at anilist.url, link with ann.token …
        anilist.fault = 503

Every question is validated and executed with graphql-core against the part of the schema in `anilist.graphql`. It is a
real HTTP server in threads, so that other processes can use it too.
Source: AniList docs (errors, rate limiting); answers recorded by its clients.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    SelectionSetNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)
from graphql.language import OperationDefinitionNode

from tests.servers.anilist_data import INVERSE, Complaint, Data, Entry, Media, Member, jwt
from tests.servers.gate import Gate

SCHEMA = build_schema((Path(__file__).parent / "anilist.graphql").read_text())
MOST_COMPLEX = 500
PAGE_FOR_PEOPLE = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>checking</body></html>"

Fault = int | str | None
"""An HTTP status (with a page for people), or one of `FAULTS`."""
FAULTS = (
    "html",  # 200 with a page for people
    "hang",  # the request is taken, the answer never comes
    "cut",  # the connection ends in the middle of the answer
    "garbage",  # 200, JSON by name only
    "token",  # the token is not valid (any more)
    "outage",  # 403: the API is switched off
    "throttled",  # 429 with Retry-After
    "missing",  # 404
    "validation",  # 400: an input is refused
    "unknown field",  # 400: the schema has changed
    "errors",  # 200 with errors beside null data
    "nulls",  # 200, every root field null
)
Reply = tuple[int, object]


@dataclass(frozen=True)
class Asked:
    """A question as it came in."""

    operation: str
    variables: dict[str, Any]
    token: str | None


class FakeAniList:
    """The service. `fault`, `delay_s`, `gate` and `headers` apply to every answer; `requests` is the log."""

    def __init__(self, *, port: int = 0, rate_limit: int | None = 100_000) -> None:
        self.data = Data()
        self.requests: list[Asked] = []
        self.fault: Fault = None
        self.delay_s = 0.0
        self.gate = Gate()
        self.retry_after_s = 60
        self.headers: dict[str, str] = {} if rate_limit is None else {"X-RateLimit-Limit": str(rate_limit)}
        self.lock = threading.RLock()
        self.ended = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.service = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.gate.open()
        self._server.shutdown()
        self._server.end_connections()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    @property
    def operations(self) -> list[str]:
        """What was asked, in order, by the names of the operations."""
        return [asked.operation for asked in self.requests]

    def add_media(
        self,
        romaji: str,
        *,
        id: int = 0,
        airs_in: timedelta = timedelta(days=3),
        sequel_of: Media | None = None,
        **more: Any,
    ) -> Media:
        """Put a show in; `more` are fields of `Media`. With `next_episode` it is releasing, the next one `airs_in`."""
        with self.lock:
            media = Media(id or self.data.new_id(), romaji, **more)
            if media.next_episode is not None:
                media.airs_at = int(time.time() + airs_in.total_seconds())
                media.status = more.get("status", "RELEASING")
            self.data.media[media.id] = media
        if sequel_of is not None:
            self.relate(media, "PREQUEL", sequel_of)
        return media

    def relate(self, media: Media, relation: str, other: Media) -> None:
        """`other` is the `relation` of `media`; the way back is put in too."""
        with self.lock:
            media.relations.append((relation, other.id))
            other.relations.append((INVERSE.get(relation, relation), media.id))

    def add_user(
        self, name: str, *, token: str = "", expires_in: timedelta = timedelta(days=365), **more: Any
    ) -> Member:
        """Give somebody an account and a token; `more` are fields of `Member`."""
        with self.lock:
            number = self.data.new_id()
            member = Member(number, name, token or jwt(number, expires_in=expires_in), **more)
            self.data.members[member.token] = member
        return member

    def list_entry(
        self, member: Member, media: Media, status: str = "CURRENT", progress: int = 0, **more: Any
    ) -> Entry:
        """Put a show on somebody's list; `more` are fields of `Entry`. The latest one has the newest activity."""
        with self.lock:
            entry = Entry(self.data.new_id(), member, media, status, progress, self.data.tick(), **more)
            self.data.entries.append(entry)
        return entry

    def entry(self, member: Member, media: Media) -> Entry | None:
        """What stands on somebody's list about a show."""
        return self.data.entry_of(member, media.id)

    def revoke(self, member: Member) -> None:
        """From now on the member's token is not valid."""
        with self.lock:
            del self.data.members[member.token]
            member.token = ""
            self.data.members[f"revoked {member.id}"] = member

    def answer(self, body: bytes, token: str | None) -> Reply:
        """The answer to one question: a status, and what goes into the body."""
        question = json.loads(body)
        document, wrong = _read(question["query"])
        operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
        name = operation.name.value if operation.name else ""
        variables = question.get("variables") or {}
        with self.lock:
            self.requests.append(Asked(name, variables, token))
            roots = [field.name.value for field in operation.selection_set.selections if isinstance(field, FieldNode)]
            if self.fault is not None:
                return _faulty(self.fault, roots)
            member = self.data.members.get(token) if token else None
            if token and member is None:
                return _faulty("token", roots)
            if wrong:
                return 400, {"data": None, "errors": [_error(message, 400) for message in wrong]}
            return self._execute(document, variables, member, roots)

    def _execute(
        self,
        document: DocumentNode,
        variables: dict[str, Any],
        member: Member | None,
        roots: list[str],
    ) -> Reply:
        result = execute_sync(SCHEMA, document, self.data, context_value=member, variable_values=variables)
        if not result.errors:
            return 200, {"data": result.data}
        return _refused(result.errors, roots)


@cache
def _read(query: str) -> tuple[DocumentNode, tuple[str, ...]]:
    """A question, and what is wrong with it. The same few are asked again and again."""
    document = parse(query)
    wrong = [error.message for error in validate(SCHEMA, document)]
    if not wrong and (fields := complexity(document)) > MOST_COMPLEX:
        wrong = [f"Max query complexity should be {MOST_COMPLEX} but got {fields}."]
    return document, tuple(wrong)


def complexity(document: DocumentNode) -> int:
    """Fields, with fragments unfolded: what the service counts."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    return sum(_fields(document, operation.selection_set) for operation in operations)


def _refused(errors: list[GraphQLError], roots: list[str]) -> Reply:
    cause = errors[0].original_error or errors[0]
    if not isinstance(cause, Complaint):
        raise cause
    body = {"errors": [_error(cause.message, cause.status, **cause.more)], "data": dict.fromkeys(roots)}
    return cause.status, body


def _faulty(fault: int | str, roots: list[str]) -> Reply:
    nothing = dict.fromkeys(roots)
    switched_off = "The AniList API has been temporarily disabled due to severe stability issues."
    unusable = _error("validation", 400, validation={"progress": ["The progress may not be negative."]})
    replies: dict[int | str, Reply] = {
        "html": (200, PAGE_FOR_PEOPLE),
        "garbage": (200, b'{"data": {"Page": \xff'),
        "token": (400, {"errors": [_error("Invalid token", 400)], "data": nothing}),
        "outage": (403, {"errors": [_error(switched_off, 403)], "data": None}),
        "throttled": (429, {"data": None, "errors": [_error("Too Many Requests.", 429)]}),
        "missing": (404, {"errors": [_error("Not Found.", 404)], "data": nothing}),
        "validation": (400, {"errors": [unusable], "data": nothing}),
        "unknown field": (400, {"errors": [_error('Cannot query field "cover" on type "Media".', 400)], "data": None}),
        "errors": (200, {"errors": [_error("Internal Server Error", 500)], "data": nothing}),
        "nulls": (200, {"data": nothing}),
        "cut": (200, {"data": nothing}),
        "hang": (200, {"data": nothing}),
    }
    return (fault, PAGE_FOR_PEOPLE) if isinstance(fault, int) else replies[fault]


def _error(message: str, status: int, **more: object) -> dict[str, object]:
    return {"message": message, "status": status, "locations": [{"line": 2, "column": 3}], **more}


def _fields(document: DocumentNode, selections: SelectionSetNode) -> int:
    fragments = {d.name.value: d.selection_set for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    count = 0
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            count += 1 + (_fields(document, selection.selection_set) if selection.selection_set else 0)
        elif isinstance(selection, FragmentSpreadNode):
            count += _fields(document, fragments[selection.name.value])
        elif isinstance(selection, InlineFragmentNode):
            count += _fields(document, selection.selection_set)
    return count


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    service: FakeAniList

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """Clients keep their connections open; nobody answers there any more."""
        for connection in tuple(self._open):
            self.shutdown_request(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one write: in two, the second would wait 40 ms for the client's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        service = self.server.service
        body = self.rfile.read(int(self.headers["Content-Length"]))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or None
        status, content = service.answer(body, token)
        if service.fault == "hang" or service.delay_s:
            service.ended.wait(None if service.fault == "hang" else service.delay_s)
        service.gate.let_through()
        self._send(service, status, content)

    def _send(self, service: FakeAniList, status: int, content: object) -> None:
        is_page = isinstance(content, str)
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        packed = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=UTF-8" if is_page else "application/json")
        self.send_header("Content-Length", str(len(packed)))
        if status == 429:
            self.send_header("Retry-After", str(service.retry_after_s))
        else:
            for name, value in service.headers.items():
                self.send_header(name, value)
        self.end_headers()
        if service.fault == "cut":
            self.wfile.write(packed[: len(packed) // 2])
            self.close_connection = True
            return
        self.wfile.write(packed)

    def log_message(self, format: str, *args: object) -> None:
        """The log is `requests`."""
