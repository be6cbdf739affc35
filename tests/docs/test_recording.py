"""What the README's moving picture is drawn with."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from docs.recording.drawing import Recording, draw, read, write

FOLDER = Path(__file__).parents[2] / "docs" / "recording"
SVG = "{http://www.w3.org/2000/svg}"


def shown(svg: str) -> list[tuple[str, str, str]]:
    """Each text, from when, until when."""
    found = []
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):  # noqa: S314 -- it is our own
        [times] = group.iter(f"{SVG}set")
        text = "|".join(each.text or "" for each in group.iter(f"{SVG}text"))
        if text:
            found.append((text, times.attrib["begin"], times.attrib["end"]))
    return found


def test_a_row_is_shown_for_as_long_as_it_is_there() -> None:
    """What is typed grows, and what is overwritten goes, at the seconds of the recording."""
    svg = draw(Recording(20, 3, [(0.5, "a"), (1.0, "b\r\n<&>"), (2.0, "\x1b[2Jc"), (3.0, "")]))
    assert shown(svg) == [
        ("a", "round.begin+0.50s", "round.begin+1.00s"),
        ("ab", "round.begin+1.00s", "round.begin+2.00s"),
        ("<&>", "round.begin+1.00s", "round.begin+2.00s"),
        ("c", "round.begin+2.00s", "round.begin+3.00s"),
    ]
    assert 'dur="3.00s"' in svg


def test_looks_are_kept() -> None:
    """Colours, faint, bold and reversed text look like that; what looks alike is one text."""
    svg = draw(Recording(20, 1, [(0.0, "\x1b[1mab\x1b[0;2mc\x1b[0;7md\x1b[0m  e"), (1.0, "")]))
    texts = re.findall(r'fill="(#\w+)"( [^>]*)?>([^<]*)</text>', svg)
    assert texts == [
        ("#d5d9e0", ' font-weight="bold"', "ab"),
        ("#6b7682", "", "c"),
        ("#15191c", "", "d"),
        ("#d5d9e0", "", "e"),
    ]


def test_the_picture_is_that_of_the_recording() -> None:
    """What is committed as a picture is drawn from what is committed as a recording."""
    assert (FOLDER / "bamboo.svg").read_text() == draw(read(FOLDER / "bamboo.cast"))


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    """The file is asciinema's, version 2."""
    recording = Recording(20, 3, [(0.5, "a…\x1b[0m"), (1.0, "")])
    write(recording, tmp_path / "a.cast")
    assert read(tmp_path / "a.cast") == recording


def test_the_recording_shows_no_more_than_it_should() -> None:
    """No path and no name of the machine where it was made."""
    text = (FOLDER / "bamboo.cast").read_text()
    assert "/tmp" not in text  # noqa: S108
    assert "/home" not in text
    assert Path.home().as_posix() not in text
