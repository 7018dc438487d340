"""The review in a real terminal: what a person sees and what is on disk afterwards."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from tests.harness.review.conftest import WAIVERS
from tests.harness.review.screen import review

pytestmark = pytest.mark.long


def waivers(root: Path) -> str:
    return (root / "contracts" / "waivers.toml").read_text()


def test_a_review_from_the_first_screen_to_the_last(project: Path) -> None:
    with review(project) as screen:
        text = screen.wait_for("[1/3]  BREAKING  text at text", "0 decided", "3 left", "q quit")
        assert '"hel"' in text
        assert '"HEL"' in text
        assert "acme/plain-stream (1 of 2)  simulated" in text
        assert {"red", "green"} & screen.colours()

        screen.press("enter")
        screen.wait_for("This is breaking: Enter does not accept it")
        screen.press("a")
        screen.type("upper case is fine\t\t\tAda")
        screen.wait_for("It would cover 2 of the 2 differences here", "and nothing else", "1 row in")
        screen.press("enter")
        screen.wait_for("2 differences of these are breaking", "y accept it all the same")
        screen.press("enter")
        screen.wait_for("Nothing was accepted")
        assert waivers(project) == WAIVERS
        screen.press("enter", "y")
        screen.wait_for("[2/3]  VISIBLE  model_name at model", "1 decided", "1 accepted until")
        assert 'reason = "upper case is fine"\nby = "Ada"' in waivers(project)
        assert waivers(project).startswith(WAIVERS)

        screen.press("u")
        screen.wait_for("[1/3]  BREAKING", "Undone", "0 decided")
        assert waivers(project) == WAIVERS

        screen.press("r")
        screen.type("give it back as it came\r")
        screen.wait_for("[2/3]", "Marked: it needs a fix", "1 decided")
        screen.press("x")
        screen.wait_for("Noise is not masked", "differed here in 0 of 3", "Nothing that was run supports")
        screen.press("enter", "s")
        screen.wait_for("Only what you skipped is left", "2 decided")
        screen.press("q")
        assert screen.left() == 1
        screen.wait_for("0 groups accepted, 2 marked, 1 left.")
    stored = json.loads((project / "report" / "decisions.json").read_text())
    assert [(d["decision"], d.get("note", "")) for d in stored["decisions"]] == [
        ("fix", "give it back as it came"),
        ("noise", ""),
    ]


def test_views_members_and_help(project: Path) -> None:
    with review(project) as screen:
        screen.wait_for("lanes: plain | odd", "[1/3]")
        screen.press("v")
        screen.wait_for("wire: event", "200 OK", "hel")
        screen.press("v")
        screen.wait_for("request: plain | odd", "POST https://api.acme.example/v1/chat/completions")
        screen.press("v")
        screen.wait_for("time line: recorded times", "4 events", "event 1")
        screen.press("?")
        screen.wait_for("Keys; any key goes back", "noise: it goes on failing, too")
        screen.press("?", "g")
        screen.wait_for("> acme/plain-stream", "acme/other")
        screen.press("down", "enter")
        screen.wait_for("acme/other (2 of 2)")
        screen.press("/")
        screen.type("visible\r")
        screen.wait_for("[1/1]  VISIBLE", 'filter "visible"')


def test_a_check_goes_straight_into_the_review(project: Path) -> None:
    with review(project, program=[sys.executable, "-m", "llm_contracts", "check", "--review"]) as screen:
        screen.wait_for("[1/3]  BREAKING", "q quit")
        screen.press("q")
        assert screen.left() == 1


def test_where_there_is_room_the_groups_stand_beside_the_one_that_is_shown(project: Path) -> None:
    with review(project, width=150) as screen:
        screen.wait_for("▶  text at text[*]", "   model_name at model", " 3│ ", '"HEL"', "[1/3]")
        screen.press("s")
        screen.wait_for(" - text at text[*]", "▶  model_name at model", "[2/3]")


def test_a_review_is_suspended_and_taken_up_again(project: Path) -> None:
    """By a shell: the system does not stop what has none to wake it up."""
    with review(project, program=["bash", "--norc", "-i"]) as screen:
        screen.type(f"{sys.executable} -m llm_contracts review\r")
        screen.wait_for("[1/3]", "q quit")
        screen.type("\x1a")
        screen.wait_for("Stopped")
        screen.type("fg\r")
        screen.press("j")
        screen.wait_for("[2/3]", "q quit")


def test_a_field_is_edited_at_its_cursor_and_the_name_is_replaced(project: Path) -> None:
    with review(project) as screen:
        screen.wait_for("[1/3]", "q quit")
        screen.press("a")
        screen.type("abd\x1b[Dc\x1b[H1\x1b[3~\t\t\tAda\x1b[D\x1b[D\x7fE\r")
        screen.wait_for("reason  1bcd", "by      Eda", "breaking")


def test_an_interrupted_review_is_taken_up_where_it_was(project: Path) -> None:
    with review(project) as screen:
        screen.wait_for("[1/3]", "q quit")
        screen.press("s")
        screen.wait_for("[2/3]")
        os.kill(screen.child.pid, signal.SIGKILL)
    with review(project) as screen:
        screen.wait_for("[2/3]  VISIBLE", "1 skipped", "Taken up where you left it")
        screen.press("\x03")
        assert screen.left() == 1


def test_a_small_window_without_colour_shows_what_decides_and_follows_its_size(project: Path) -> None:
    with review(project, width=60, height=24, environ={"NO_COLOR": "1"}) as screen:
        text = screen.wait_for("[1/3]  BREAKING", "q quit", "▶")
        assert '< "hel"' in text
        assert '> "HEL"' in text
        assert screen.colours() <= {"default"}
        screen.resize(100, 40)
        screen.wait_for('"hel"', "g members", "≠")
        screen.resize(40, 10)
        assert '"HEL"' in screen.wait_for("BREAKING", "a accept", "? help")
        screen.press("a")
        screen.type("why\t\t\tAda")
        screen.wait_for("> by      Ada")
        screen.resize(10, 3)
        screen.type("\r")
        screen.resize(40, 10)
        screen.wait_for("> 2 differences of these are", "y accept it")


def test_the_plain_mode_asks_line_by_line_in_ascii(project: Path) -> None:
    with review(project, "--plain") as screen:
        text = screen.wait_for("[1/3]  BREAKING", "key>")
        assert text.isascii()
        screen.child.sendline("accept")
        screen.wait_for("One key at a time")
        screen.child.sendline("r")
        screen.wait_for("note>")
        screen.child.sendline("give it back")
        screen.wait_for("scope>")
        screen.child.sendline("")
        screen.wait_for("[2/3]  VISIBLE")
        screen.child.sendline("q")
        assert screen.left() == 1
    assert "give it back" in (project / "report" / "decisions.json").read_text()


def test_a_reason_is_written_in_the_persons_own_editor(project: Path, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "Written elsewhere,\non two lines." > "$1"\n')
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    with review(project, environ={"EDITOR": str(editor)}) as screen:
        screen.wait_for("[1/3]", "q quit")
        screen.press("a", "\x05")
        screen.wait_for("Written elsewhere, on two lines.", "It would cover")


def test_keys_without_a_meaning_here_do_nothing(project: Path) -> None:
    """F5, Ctrl-F5, Ctrl-right, Alt-x, F1, Ctrl-A, two that no library knows: none of their bytes is a key."""
    with review(project) as screen:
        before = screen.wait_for("[1/3]", "q quit")
        screen.type("\x1b[15~\x1b[15;5~\x1b[1;5C\x1bx\x1bOP\x01\x1b[57399u\x1b[997;1r\x1bOa")
        screen.press("esc")
        assert screen.text() == before
        screen.press("r")
        screen.type("\x1bx\x01\x1b[15~a note")
        screen.wait_for("Needs a fix", "note    a note")
        screen.press("esc")
        screen.wait_for("[1/3]", "q quit")
    assert not (project / "report" / "decisions.json").exists()


def test_what_is_pasted_is_text_and_presses_nothing(project: Path) -> None:
    with review(project) as screen:
        screen.wait_for("[1/3]", "q quit")
        screen.type("\x1b[200~qa\x1b[201~")
        screen.press("r")
        screen.type("\x1b[200~first line\nsecond line\n\x1b[201~")
        screen.wait_for("Needs a fix", "first line second line")
    assert not (project / "report" / "decisions.json").exists()


def test_in_ci_the_screen_says_that_nothing_is_decided_there(project: Path) -> None:
    with review(project, environ={"CI": "true"}) as screen:
        screen.wait_for("[1/3]", "q quit")
        screen.press("a")
        screen.wait_for("Nothing is decided in CI")
    assert waivers(project) == WAIVERS
    assert not (project / "report" / "review.json").exists()


def test_a_merge_conflict_in_the_waivers_file_is_reported_and_loses_nothing(project: Path) -> None:
    file = project / "contracts" / "waivers.toml"
    with review(project) as screen:
        screen.wait_for("[1/3]", "q quit")
        file.write_text(WAIVERS + "<<<<<<< ours\n")
        screen.press("a")
        screen.type("because\t\t\tAda\ry")
        screen.wait_for("unresolved merge", "because")
        file.write_text(WAIVERS)
        screen.press("enter", "y")
        screen.wait_for("[2/3]")
    assert 'reason = "because"' in file.read_text()
