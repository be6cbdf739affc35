"""The files that a browser is served: the web console, the client module, and the libraries that both use."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable

import attrs
import trio

from .messages import Headers, Reply, Request

FRONT = "index.html"
"""The page at `/`."""

FOLDERS = ("console", "client", "vendor")
"""What else is served, each under its own name; nothing that lies beside them is."""

CONTENT_TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "map": "application/json",
    "svg": "image/svg+xml",
    "ts": "text/plain; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "woff2": "font/woff2",
    "LICENSE": "text/plain; charset=utf-8",
}
"""By what stands behind the last point of a name, or by the whole of it; others are not served."""

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
"""The gateway's own files alone, no script or style within a page, no text made into markup, no frame."""

_HEADERS: Headers = [
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
]
_OWN: Headers = [*_HEADERS, ("Cross-Origin-Resource-Policy", "same-origin")]
_SHARED: Headers = [
    *_HEADERS,
    ("Access-Control-Allow-Origin", "*"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
]
"""For the client module, which pages of any origin may import: it is public, and so holds nothing."""


@attrs.frozen
class Page:
    """One file."""

    body: bytes = attrs.field(repr=False)
    content_type: str
    headers: Headers
    etag: str
    """A hash of the body, in quotes: other bytes, another tag."""

    def answer(self, request: Request) -> Reply:
        """The file; or, where *request* says that the client has just this, that it still holds (304)."""
        if _is_known(self.etag, request.headers.get("if-none-match", "")):
            status, body = HTTPStatus.NOT_MODIFIED, b""
        else:
            status, body = HTTPStatus.OK, self.body
        # Kept, but asked about each time: a page and its modules are of one release then.
        return Reply(status, body, self.content_type, [("ETag", self.etag), *self.headers], "no-cache")


class Pages:
    """
    All of them by their paths.

    Invariant: what is served stands in a table that the folder was read into
    once, so no path leads anywhere else.

    Args:
        folder: Where they lie; by default in the package.
    """

    def __init__(self, folder: Traversable | None = None) -> None:
        self._folder = folder or files(__package__.partition(".")[0]) / "web"
        self._table: Mapping[str, Page] | None = None
        self._reading = trio.Lock()

    async def find(self, path: str) -> Page | None:
        """
        The file at *path*, to the letter; None: there is none.

        The first call reads all of them, in a thread; a cancel leaves that to the
        next one.

        Raises:
            OSError: They cannot be read.
        """
        if self._table is None:
            async with self._reading:  # a crowd that comes meanwhile waits: a thread for each took 8 MB
                if self._table is None:
                    self._table = await trio.to_thread.run_sync(_read, self._folder, abandon_on_cancel=True)
        return self._table.get(path)


def _read(folder: Traversable) -> Mapping[str, Page]:
    table = {}
    front = folder / FRONT
    if front.is_file():
        table["/"] = _page("/", front)
    for name in FOLDERS:
        table.update((path, _page(path, file)) for path, file in _walk(f"/{name}", folder / name))
    return table


def _walk(path: str, folder: Traversable) -> Iterator[tuple[str, Traversable]]:
    """Every file below *folder* that is of a kind to be served, by its path."""
    for each in folder.iterdir() if folder.is_dir() else ():
        below = f"{path}/{each.name}"
        if each.is_dir():
            yield from _walk(below, each)
        elif _kind(each.name) in CONTENT_TYPES:
            yield below, each


def _page(path: str, file: Traversable) -> Page:
    body = file.read_bytes()
    headers = _SHARED if path.startswith("/client/") else _OWN
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Page(body, CONTENT_TYPES[_kind(file.name)], headers, etag)


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _is_known(etag: str, if_none_match: str) -> bool:
    """Does the header name *etag*? A proxy that packs what it passes on marks the tag as weak, `W/`."""
    named = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return etag in named or "*" in named
