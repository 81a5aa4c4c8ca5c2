"""Headless Chromium, and a look at what it drew, with nothing but the standard library."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # a page that wants the network fails at it
    "--enable-logging=stderr",
    "--v=0",
]


def chromium() -> str:
    """Chromium's path. Without it a test is skipped, but fails where CI=true promises that it is there."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("Chromium is not installed; Debian: apt-get install chromium")
    return str(found)


def run(page: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Opens a page from disk, with a profile of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [chromium(), *QUIET, f"--user-data-dir={profile}", *arguments, page.resolve().as_uri()]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)


def dom(page: Path) -> tuple[str, list[str]]:
    """The document after its scripts ran, and what the console said."""
    done = run(page, "--dump-dom", "--virtual-time-budget=1000")
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def screenshot(page: Path, picture: Path, *arguments: str, width: int = 1300, height: int = 1800) -> list[bytes]:
    """Rows of pixels (RGB or RGBA bytes) of the page as it looks."""
    run(page, f"--window-size={width},{height}", f"--screenshot={picture}", *arguments)
    return pixels(picture.read_bytes())


def pixels(png: bytes) -> list[bytes]:
    """The rows of an 8-bit RGB(A) PNG."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    width = height = depth = 0
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, bits, colour = struct.unpack(">IIBB", body[:10])
            assert bits == 8 and colour in (2, 6)
            depth = 3 if colour == 2 else 4
        packed += body if kind == b"IDAT" else b""
        at += length + 12
    return _unfiltered(zlib.decompress(packed), width * depth, height, depth)


def _unfiltered(raw: bytes, stride: int, height: int, depth: int) -> list[bytes]:
    rows, above = [], bytearray(stride)
    for y in range(height):
        kind, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        for x in range(stride if kind else 0):
            left = row[x - depth] if x >= depth else 0
            corner = above[x - depth] if x >= depth else 0
            row[x] = (row[x] + _guess(kind, left, above[x], corner)) & 255
        rows.append(bytes(row))
        above = row
    return rows


def _guess(kind: int, left: int, up: int, corner: int) -> int:
    if kind < 4:
        return (0, left, up, (left + up) // 2)[kind]
    a, b, c = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    return left if a <= b and a <= c else up if b <= c else corner
