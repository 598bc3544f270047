"""A call of the Cloud Storage API, as far as tests ask about it."""

import re
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

_PLACE = re.compile(r"/b/(?P<bucket>[^/]+)(?:/o(?:/(?P<name>.+))?)?$")
_COPY = re.compile(r"/(?:copyTo|rewriteTo)/b/.*")
_NAME_IN_BODY = re.compile(rb'"name": ?"([^"]+)"')


class Call(NamedTuple):
    """One request to the server; each part of a batch is one of its own.

    Attributes:
        method: such as GET; of an upload POST or PUT.
        path: without host and query, decoded.
        bucket: empty where the call is of none.
        name: of the object that is read, listed under, written or copied from; empty where the
            call is of none.
        media: whether it asks for the content of an object.
        signed: whether it comes with credentials.
    """

    method: str
    path: str
    bucket: str
    name: str
    media: bool
    signed: bool

    def writes(self) -> bool:
        """Whether it asks to create, change or delete something."""
        return self.method != "GET"

    def permission(self) -> str:
        """What an account needs for it, by the name that Cloud Storage gives it."""
        if self.path.endswith(f"/b/{self.bucket}"):
            return "storage.buckets.get"
        kind = "create" if self.writes() else "get" if "/o/" in self.path else "list"
        return f"storage.objects.{kind}"


def call_of(method: str, target: str, body: bytes, signed: bool) -> Call:
    """Reads a request.

    Args:
        method: HTTP method.
        target: as it stands in the request: a URL, or its path and query.
        body: content of the request.
        signed: whether it comes with credentials.
    """
    url = urlsplit(target)
    query = parse_qs(url.query)
    place = _PLACE.search(_COPY.sub("", url.path))
    bucket, name = (unquote(part or "") for part in place.groups()) if place else ("", "")
    media = query.get("alt") == ["media"] or url.path.startswith("/download/")
    name = name or _uploaded_name(query, body)
    return Call(method, unquote(url.path), bucket, name, media and method == "GET", signed)


def _uploaded_name(query: dict[str, list[str]], body: bytes) -> str:
    if "name" in query:
        return query["name"][0]
    if "upload_id" in query:  # BUCKET:NAME:TIME
        return query["upload_id"][0].partition(":")[2].split(":")[0]
    if "prefix" in query:
        return query["prefix"][0]
    found = _NAME_IN_BODY.search(body[:4096])
    return found.group(1).decode() if found else ""
