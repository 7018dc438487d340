"""Files that are replaced whole or not at all, and folders that one process at a time may write to."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llm_contracts.project.config import env_file
from llm_contracts.util.files import (
    LockedError,
    files_below,
    files_like,
    locked,
    read_file,
    replace_file,
    replacing,
    write_pieces,
    write_text,
)
from tests.harness.meanwhile import meanwhile

DEAD = 4_000_000  # beyond what Linux gives a process


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_symbolic_link_goes_on_pointing_to_the_file(tmp_path: Path) -> None:
    real = tmp_path / "shared" / "waivers.toml"
    real.parent.mkdir()
    real.write_text("old")
    link = tmp_path / "waivers.toml"
    link.symlink_to(real)
    replace_file(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert names(tmp_path / "shared") == ["waivers.toml"]


def test_a_pipe_is_read_where_it_may_be_one_and_never_waited_for_for_ever(tmp_path: Path) -> None:
    pipe = tmp_path / ".env"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(pipe.write_bytes, b"\xef\xbb\xbfA_KEY=1\n")
        assert env_file(pipe) == "A_KEY=1\n"
        assert written.result(60) == 11
    for seconds in (0, 0.01):
        with pytest.raises(OSError, match="Not a regular file"):
            read_file(pipe, writer_within=seconds)


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop"])
def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path, kind: str) -> None:
    """Neither directly nor over a link: with the rights of an administrator that cost a machine /dev/null."""
    there, link = tmp_path / "there", tmp_path / "link"
    if kind == "loop":
        there.symlink_to(link)
    else:
        os.mkfifo(there) if kind == "pipe" else there.mkdir()
    link.symlink_to(there)
    before = there.lstat()
    for file in (there, link):
        with pytest.raises(OSError, match=r"Not a regular file|Is a directory|symbolic links"):
            replace_file(file, "new")
    assert there.lstat() == before
    assert {file.name for file in tmp_path.iterdir()} == {"there", "link"}


def test_permissions_stay_and_a_new_file_has_the_usual_ones(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.touch(mode=0o600)
    replace_file(private, "x")
    assert private.stat().st_mode & 0o777 == 0o600
    before = os.umask(0o027)
    try:
        replace_file(tmp_path / "new", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


def test_a_failed_check_leaves_the_file_and_no_draft(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old")

    def check(draft: Path) -> None:
        assert draft.read_text() == "new"
        raise ValueError(draft.name)

    with pytest.raises(ValueError, match="a"):
        replace_file(file, "new", check=check)
    assert file.read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_the_draft_of_a_killed_process_is_removed_by_the_next_and_no_other_draft(tmp_path: Path) -> None:
    """Whatever file it was of: a recording of an application's call has another name each time."""
    left = [f".{name}.{DEAD}.0123abcd.tmp" for name in ("a[1]", "b.yaml")]
    others = [f".a[1].{os.getpid()}.0123abcd.tmp", ".a[1].not-a-number.0123abcd.tmp", f".a[1].{DEAD}.x.tmp"]
    for draft in (*left, *others):
        (tmp_path / draft).touch()
    write_text(tmp_path / "a[1]", "x")
    assert names(tmp_path) == sorted([*others, "a[1]"])


def test_a_process_that_is_killed_before_the_last_step_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old")
    code = (
        "import os, sys; from pathlib import Path; from llm_contracts.util.files import replace_file\n"
        "replace_file(Path(sys.argv[1]), 'new', check=lambda draft: os.kill(os.getpid(), 9))"
    )
    assert subprocess.run([sys.executable, "-c", code, file], check=False).returncode == -9
    assert file.read_text() == "old"
    assert len(names(tmp_path)) == 2
    with replacing(file) as draft:
        draft.write(b"third")
    assert (names(tmp_path), file.read_text()) == (["a"], "third")


def test_what_is_not_a_regular_file_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        write_pieces(pipe, ("a", "b"))
        assert reader.communicate()[0] == b"ab"
    assert pipe.is_fifo()


def test_a_folder_is_locked_for_one_process_and_free_when_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from llm_contracts.util.files import locked\n"
        "with locked(Path(sys.argv[1])):\n    print('locked', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(LockedError, match="another process is writing there"), locked(tmp_path):
            pass
        holder.kill()
    with locked(tmp_path, wait=True):
        assert tmp_path.is_dir()


def test_folders_that_others_remove_meanwhile_do_not_end_a_search(tmp_path: Path) -> None:
    stays = tmp_path / "folder" / "file.yaml"
    stays.parent.mkdir()
    stays.touch()

    def make_and_remove(number: int) -> None:
        inner = tmp_path / str(number) / "inner"
        inner.mkdir(parents=True)
        inner.rmdir()
        inner.parent.rmdir()

    with meanwhile(make_and_remove):
        for _ in range(1000):
            found = [*files_below(tmp_path, "*.yaml"), *files_like(tmp_path, "*/*.yaml")]
            assert found == [stays, stays]


def test_a_file_that_others_remove_meanwhile_can_be_replaced(tmp_path: Path) -> None:
    file = tmp_path / "file"

    def make_and_remove(_: int) -> None:
        file.touch()
        file.unlink(missing_ok=True)

    with meanwhile(make_and_remove):
        for _ in range(2000):
            with pytest.raises(EOFError), replacing(file):
                raise EOFError  # before anything is brought to the disk, which takes long
