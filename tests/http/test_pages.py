from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import trio

from bamboo_gateway.http.messages import Reply, Request
from bamboo_gateway.http.pages import CONTENT_SECURITY_POLICY, Page, Pages

FILES = {
    "index.html": "<!doctype html>",
    "package.json": "{}",
    "vendor.mjs": "copy();",
    "console/main.js": "start();",
    "console/parts/chat.js": "chat();",
    "console/style.css": "p {}",
    "console/icon.svg": "<svg/>",
    "console/chat.test.mjs": "test();",
    "console/.hidden": "",
    "client/bamboo.js": "connect();",
    "client/bamboo.d.ts": "export {};",
    "client/package.json": "{}",
    "vendor/htm/htm.js": "htm();",
    "vendor/htm/LICENSE": "take it",
    "vendor/font.woff2": "glyphs",
    "vendor/htm/htm.js.map": "{}",
    "node_modules/left/pad.js": "pad();",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder such as the package has."""
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


async def get(pages: Pages, path: str, **headers: str) -> Reply:
    """The answer to a request for a file that there is."""
    page = await pages.find(path)
    assert page is not None
    return page.answer(
        Request("GET", path, {name.replace("_", "-"): value for name, value in headers.items()})
    )


@pytest.mark.parametrize(
    ("path", "file", "content_type"),
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/console/main.js", "console/main.js", "text/javascript; charset=utf-8"),
        ("/console/parts/chat.js", "console/parts/chat.js", "text/javascript; charset=utf-8"),
        ("/console/style.css", "console/style.css", "text/css; charset=utf-8"),
        ("/console/icon.svg", "console/icon.svg", "image/svg+xml"),
        ("/client/bamboo.js", "client/bamboo.js", "text/javascript; charset=utf-8"),
        ("/client/bamboo.d.ts", "client/bamboo.d.ts", "text/plain; charset=utf-8"),
        ("/client/package.json", "client/package.json", "application/json"),
        ("/vendor/htm/LICENSE", "vendor/htm/LICENSE", "text/plain; charset=utf-8"),
        ("/vendor/htm/htm.js.map", "vendor/htm/htm.js.map", "application/json"),
        ("/vendor/font.woff2", "vendor/font.woff2", "font/woff2"),
    ],
)
async def test_each_file_has_its_path_and_its_type(
    folder: Path, path: str, file: str, content_type: str
) -> None:
    """What is in the three folders, and the front page at the root."""
    reply = await get(Pages(folder), path)
    assert (reply.status, reply.body, reply.content_type) == (200, FILES[file].encode(), content_type)


@pytest.mark.parametrize(
    "path",
    [
        "/index.html",
        "/package.json",
        "/vendor.mjs",
        "/node_modules/left/pad.js",
        "/console",
        "/console/",
        "/console/chat.test.mjs",
        "/console/.hidden",
        "/console/../package.json",
        "/console/../../secret.js",
        "/console/%2e%2e/package.json",
        "/console/./main.js",
        "/console//main.js",
        "//console/main.js",
        "/console\\main.js",
        "/console/main.js%00",
        "console/main.js",
        "/CONSOLE/main.js",
        "",
    ],
)
async def test_nothing_else_is_served(folder: Path, path: str) -> None:
    """Nothing beside the folders, no other kind of file, no other way to write a path."""
    (folder.parent / "secret.js").write_text("secret")
    assert await Pages(folder).find(path) is None


async def test_a_file_that_the_client_has_is_not_sent_again(folder: Path) -> None:
    """It is asked about each time, by its tag: 304 as long as it is the same, and the whole of it then."""
    pages = Pages(folder)
    first = await get(pages, "/console/main.js")
    assert first.cache_control == "no-cache"
    etag = dict(first.headers)["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        reply = await get(pages, "/console/main.js", if_none_match=known)
        assert (reply.status, reply.body, reply.cache_control) == (304, b"", "no-cache")
        assert dict(reply.headers) == dict(first.headers)
    for other in ('"other"', etag.strip('"'), ""):
        assert (await get(pages, "/console/main.js", if_none_match=other)).status == 200
    (folder / "console/main.js").write_text("another();")
    reply = await get(Pages(folder), "/console/main.js", if_none_match=etag)
    assert (reply.status, reply.body) == (200, b"another();")


@pytest.mark.parametrize("path", ["/", "/console/main.js", "/console/icon.svg", "/vendor/htm/htm.js"])
async def test_the_console_is_closed_to_other_pages(folder: Path, path: str) -> None:
    """No foreign script, frame, opener or reader; nothing says where a user came from."""
    headers = dict((await get(Pages(folder), path)).headers)
    assert headers.pop("ETag")
    assert headers == {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
    }


async def test_the_client_module_is_open_to_every_page(folder: Path) -> None:
    """It alone can be imported from another origin."""
    headers = dict((await get(Pages(folder), "/client/bamboo.js")).headers)
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_the_policy_allows_no_script_but_the_gateways_own_files() -> None:
    """Nothing inline, no markup made of text, no frame around it, no other host spoken to."""
    rules = dict(rule.partition(" ")[::2] for rule in CONTENT_SECURITY_POLICY.split("; "))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert (rules["require-trusted-types-for"], rules["trusted-types"]) == ("'script'", "'none'")
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY


async def test_files_are_read_once_and_late(folder: Path) -> None:
    """At the first request, all of them; what is changed then is for the next gateway."""
    pages = Pages(folder)
    (folder / "console/main.js").write_text("late();")
    found: list[Page | None] = []

    async def find() -> None:
        found.append(await pages.find("/console/main.js"))

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(find)
    (folder / "console/main.js").write_text("too late();")
    await find()
    assert [each and each.body for each in found] == [b"late();"] * 4


async def test_a_package_without_them_serves_nothing(tmp_path: Path) -> None:
    """Somebody packed it so; that is no error."""
    for folder in (tmp_path, tmp_path / "nothing"):
        assert await Pages(folder).find("/") is None


async def test_they_may_lie_in_an_archive(folder: Path, tmp_path: Path) -> None:
    """A package need not be unpacked."""
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        for name, text in FILES.items():
            archive.writestr(f"web/{name}", text)
    with zipfile.ZipFile(tmp_path / "package.zip") as archive:
        pages = Pages(zipfile.Path(archive) / "web")
        assert (await get(pages, "/console/parts/chat.js")).body == b"chat();"
