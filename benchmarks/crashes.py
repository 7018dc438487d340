"""Commands that are killed, or meet a full or broken disk, at each of their file operations; and all at once.

A fork of this process runs each command in a copy of a small project. Python tells an audit hook of each file
that is opened for writing, renamed or removed, before that happens: there the process is killed, or told that
the disk is full or broken. Writes are cut short by the limit of the size of files, and processes killed at
other moments. Afterwards all that was there must be there whole, and the same command must do its work
undisturbed.
"""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from mmap import mmap
from pathlib import Path

from benchmarks.measure import Figure, Size, faults
from benchmarks.provider import provider
from llm_contracts.cli import run as run_command
from llm_contracts.results.store import Stored
from llm_contracts.wire.cassette import load

_TOML = """
[tool.llm_contracts]
clients = "own_clients.py"
scenarios = "own_scenarios.py"
waivers = "waivers.toml"
reference = "plain"
candidate = "changed"
"""
_CLIENTS = """
import http.client, json
from urllib.parse import urlsplit
from llm_contracts.project.scenario import Provider

PROVIDERS = (
    Provider(name="openai", base_url="https://api.openai.com/v1", key_variable="OPENAI_API_KEY"),
    Provider(name="deepseek", base_url="https://api.deepseek.com", key_variable="DEEPSEEK_API_KEY"),
    Provider(name="acme", base_url="UPSTREAM/5x0/v1", key_variable="ACME_KEY", base_url_variable="ACME_URL"),
)

def plain(call):
    url = urlsplit(call.base_url)
    connection = http.client.HTTPConnection(url.netloc, timeout=20)
    body = json.dumps({"model": call.model, "messages": list(call.messages), "stream": True})
    headers = {"Authorization": f"Bearer {call.api_key}", "Content-Type": "application/json"}
    connection.request("POST", url.path + "/chat/completions", body, headers)
    for line in connection.getresponse():  # a client that buffers is waited for, a minute in each check
        if line.startswith(b'data: {"id"'):
            yield json.loads(line[6:])
    connection.close()

def changed(call):
    for chunk in plain(call):
        for choice in chunk["choices"]:
            if call.provider == "openai" and choice["delta"].get("content"):
                choice["delta"]["content"] += "!"
            if choice.get("finish_reason"):
                choice["finish_reason"] = "length"
        chunk["model"] = "another"
        yield chunk

CLIENTS = {"plain": plain, "changed": changed}
"""
_SCENARIOS = """
from llm_contracts.project.scenario import Scenario

HELLO = ({"role": "user", "content": "hello"},)
SCENARIOS = tuple(
    Scenario(id=name, provider=provider, model=model, messages=HELLO, script="plain-stream")
    for provider, model in (("openai", "gpt-4o-mini"), ("deepseek", "deepseek-chat"))
    for name in ("one", "two")
)
"""
_APPLICATION = """
import json, os, urllib.request

for message in ("hello", "bye"):
    body = {"model": "m", "messages": [{"role": "user", "content": message}], "stream": True, "stop": message}
    url, headers = os.environ["ACME_URL"] + "/chat/completions", {"Content-Type": "application/json"}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=20) as answer:
        answer.read()
"""
_FAULTS = {"killed": 0, "the disk is full": errno.ENOSPC, "the disk is broken": errno.EIO}
_EVENTS = ("os.rename", "os.remove", "os.mkdir", "os.truncate", "os.chmod")
_DOOMED = 0.4  # of the processes, in every round but the first
_WRITING = os.O_WRONLY | os.O_RDWR
_SIZES = (1, 100, 700, 2000, 5000, 20_000)  # bytes after which nothing more can be written to a file
_MOMENTS = tuple(part / 12 for part in range(1, 12))  # of the time that a command takes
_TRACEBACK = 70
_DISTURBED = ("record", "check", "accept", "apply", "import", "corpus", "capture")
_RECORD = ("record", "--source", "simulator", "--missing", "--provider", "openai", "--provider", "deepseek")
_ACCEPT = ("review", "accept", "--reason", "a trial", "--by", "nobody")


_Disturb = Callable[[Path, mmap], object]
"""Called in the process that runs a command in a folder; notes that it has struck in memory that both see."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project with recordings, a result and a waiver, and without one recording.

    Attributes:
        root: its folder, of which copies are made.
        commands: what is disturbed, by name.
        codes: the exit code of each, undisturbed.
        before: what its files hold.
    """

    root: Path
    commands: Mapping[str, Sequence[str]]
    codes: Mapping[str, int]
    before: Mapping[str, bytes]

    def broken(self, root: Path) -> Iterator[str]:
        """What of that is not there, whole, in a copy in which a command was disturbed."""
        for file in (root / "cassettes").rglob("*.yaml"):
            yield from _fault(file.name, partial(load, file))
        for name, data in self.before.items():
            now = (root / name).read_bytes() if (root / name).is_file() else b""
            if name.endswith(".yaml") and now != data:
                yield f"{name} was changed"
            if name == "waivers.toml" and not now.startswith(data):
                yield "a waiver is lost"
        if not (root / "waivers.toml").is_symlink():
            yield "a file stands in the place of the link waivers.toml"
        yield from _fault("waivers.toml", lambda: tomllib.loads((root / "waivers.toml").read_text()))
        yield from _fault("the result", partial(_read_result, root / "report"))


def _read_result(folder: Path) -> None:
    stored = Stored.load(folder)
    assert stored is not None
    for item in stored.result.items:
        stored.item(item.id)


def _fault(place: str, look: Callable[[], object]) -> Iterator[str]:
    """The exception that looking at something raises, whatever it is; nothing where it is whole."""
    try:
        look()
    except Exception as error:  # noqa: BLE001 - whatever it is
        yield f"{place}: {type(error).__name__}: {error}"


def made(folder: Path, provider: str) -> Project:
    """The project, with what its commands do undisturbed. Its waivers stand elsewhere, behind a link."""
    root = folder / "project"
    (root / "streams").mkdir(parents=True)
    for name, text in (
        ("pyproject.toml", _TOML),
        ("own_clients.py", _CLIENTS.replace("UPSTREAM", provider)),
        ("own_scenarios.py", _SCENARIOS),
        ("application.py", _APPLICATION),
    ):
        (root / name).write_text(text)
    (root / "decided").mkdir()
    (root / "waivers.toml").symlink_to("decided/waivers.toml")
    _must(root, _RECORD, 0)
    (root / "cassettes/deepseek/two.yaml").unlink()
    recorded = load(root / "cassettes/openai/one.yaml").interactions[0]
    (root / "streams/a.sse").write_bytes(recorded.response.body)
    row = {"id": "foreign", "provider": "openai", "file": "a.sse", "status": 200, "url": recorded.request.uri}
    row["request"] = json.loads(recorded.request.body)
    (root / "streams/index.jsonl").write_text(json.dumps(row))
    _must(root, ["check"], 1)
    _must(root, ["review", "list", "--json", "groups.json"], 1)
    listed = json.loads((root / "groups.json").read_text())["groups"]
    first, second, third = (group["id"] for group in listed)
    _must(root, [*_ACCEPT, first], 0)
    stored = Stored.load(root / "report")
    assert stored is not None
    mark = {"decision": "fix", "note": "a trial", "fingerprints": [listed[2]["members"][0]["fingerprint"]]}
    (root / "decisions.json").write_text(json.dumps({"format": 1, "run": stored.run, "decisions": [mark]}))
    commands = {
        "record": _RECORD,
        "check": ["check"],
        "accept": [*_ACCEPT, second],
        "accept another": [*_ACCEPT, third],
        "apply": ["review", "apply", "decisions.json"],
        "import": ["import", "streams"],
        "corpus": ["corpus", "streams"],
        "capture": ["capture", "--", sys.executable, "application.py"],
    }
    kept = [root / "waivers.toml", *root.glob("cassettes/*/*.yaml")]
    before = {str(file.relative_to(root)): file.read_bytes() for file in kept}
    codes = {}
    for name, command in commands.items():
        with _copy(root) as copy:
            codes[name] = _begun(copy, command).ended()[0]
    return Project(root=root, commands=commands, codes=codes, before=before)


def disturbed(project: Project, name: str, disturb: _Disturb) -> tuple[bool, list[str]]:
    """Whether a command was disturbed, and what is wrong after it: with what was there, with how it ended, or
    with the same command afterwards.
    """
    command, struck = project.commands[name], mmap(-1, 1)
    with _copy(project.root) as copy:
        code, said = _begun(copy, command, lambda: disturb(copy, struck)).ended()
        wrong = list(project.broken(copy))
        if code == _TRACEBACK:
            wrong.append(f"a traceback: {said}")
        again = _begun(copy, command).ended()[0]
        nothing_left = 0 if code else 2  # to do after one that was struck late; to accept after a good one
        if again not in {project.codes[name], nothing_left}:
            wrong.append(f"the next ended with {again}")
        wrong += [f"left behind: {file.name}" for file in copy.rglob(".*.tmp")]
        wrong += project.broken(copy)
    return bool(struck[0]) or code != project.codes[name], wrong


def at_step(step: int, fault: str) -> _Disturb:
    """Strikes at that file operation within the project."""

    def disturb(root: Path, struck: mmap) -> None:
        left = step

        def strike(path: object) -> None:
            nonlocal left
            left -= 1
            struck[0] = left <= 0
            if left == 0 and not _FAULTS[fault]:
                os.kill(os.getpid(), signal.SIGKILL)
            if left == 0:
                raise OSError(_FAULTS[fault], os.strerror(_FAULTS[fault]), str(path))

        _watch(root, strike)

    return disturb


def after(seconds: float) -> _Disturb:
    """Kills the process when it has run for so long."""
    # Nobody handles what comes then. Whether it came in time, the exit code says.
    return lambda _root, _struck: signal.setitimer(signal.ITIMER_REAL, seconds)


def disturbances(project: Project, name: str) -> dict[str, _Disturb]:
    """Everything that can happen to a command: each fault at each of its file operations, and the rest."""
    seen, begun = mmap(-1, 1), time.monotonic()

    def count(_path: object) -> None:
        seen[0] = min(seen[0] + 1, 255)

    with _copy(project.root) as copy:
        _begun(copy, project.commands[name], lambda: _watch(copy, count)).ended()
    lasts = time.monotonic() - begun
    steps = range(1, seen[0] + 1)
    return {
        **{f"{fault}, step {step}": at_step(step, fault) for step in steps for fault in _FAULTS},
        **{f"files of {most} bytes": at_size(most) for most in _SIZES},
        **{f"killed after {lasts * part:.2f} s": after(lasts * part) for part in _MOMENTS},
    }


def _watch(root: Path, operation: Callable[[object], None]) -> None:
    """Call `operation` with the path before each file operation of this process within the project."""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
        if (writes or event in _EVENTS) and _within(root, arguments[0]):
            operation(arguments[0])

    sys.addaudithook(hook)


def at_size(size: int) -> _Disturb:
    """No file can become larger."""
    return lambda _root, _struck: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def together(project: Project, seed: int) -> list[str]:
    """Every command at once, check twice, some of them killed at any moment; what is wrong afterwards."""
    dice = random.Random(seed)  # noqa: S311 - not for secrets
    with _copy(project.root) as copy:
        names = dict(enumerate([*project.commands, "check"]))
        running = {number: _begun(copy, project.commands[name]) for number, name in names.items()}
        doomed = [fork.process for fork in running.values() if seed and dice.random() < _DOOMED]
        begun = time.monotonic()
        for at, process in sorted((dice.uniform(0, 2), process) for process in doomed):
            time.sleep(max(0.0, begun + at - time.monotonic()))
            os.kill(process, signal.SIGKILL)  # it has not been waited for: the number is still its own
        ends = {number: fork.ended() for number, fork in running.items()}
        wrong = list(project.broken(copy))
        waivers = tomllib.loads((copy / "waivers.toml").read_text())["waiver"]
        said = sum(ends[n][0] == 0 for n, name in names.items() if name.startswith("accept"))
        if len(waivers) < 1 + said:
            wrong.append(f"{said} accepted at once, {len(waivers) - 1} written")
        wrong += [f"{names[n]}: {said}" for n, (code, said) in ends.items() if code == _TRACEBACK]
        code, last = _begun(copy, ["check"]).ended()
        if code not in {0, 1}:  # 0 where all is accepted and nothing new was recorded
            wrong.append(f"the next check ended with {code}: {last}")
        wrong += project.broken(copy)
    return wrong


def run(size: Size) -> Iterator[Figure]:
    """What was broken by disturbed runs of each command (each fault at each file operation, or twelve of
    these), and by rounds of all commands at once.
    """
    rounds, runs = (40, None) if size is Size.FULL else (4, 12)
    with tempfile.TemporaryDirectory() as folder, provider() as url:
        project = made(Path(folder), url)
        for name in _DISTURBED:
            disturbs = disturbances(project, name)
            chosen = [*disturbs] if runs is None else sampled([*disturbs], runs)
            found = {each: disturbed(project, name, disturbs[each]) for each in chosen}
            yield faults(
                f"{name}: broken or lost, of {sum(struck for struck, _ in found.values())} disturbed runs",
                [f"{each}: {wrong}" for each, (_, all_wrong) in found.items() for wrong in all_wrong],
            )
        yield faults(
            f"all at once: broken or lost, of {rounds} rounds",
            [f"round {seed}: {each}" for seed in range(rounds) for each in together(project, seed)],
        )


def sampled(all_of_them: Sequence[str], most: int) -> list[str]:
    """At most so many, chosen by chance, the same ones in each run."""
    dice = random.Random(0)  # noqa: S311 - not for secrets
    return dice.sample(all_of_them, min(most, len(all_of_them)))


def _within(root: Path, path: object) -> bool:
    return isinstance(path, str | bytes | os.PathLike) and (root / os.fsdecode(path)).is_relative_to(root)


@contextmanager
def _copy(root: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=root.parent) as folder:
        yield Path(shutil.copytree(root, Path(folder) / "copy", symlinks=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fork:
    """A process that runs a command, and where what it says comes out."""

    process: int
    output: int

    def ended(self) -> tuple[int, str]:
        """Its exit code, or minus the signal that killed it; and the last line that it said."""
        with os.fdopen(self.output, errors="replace") as output:
            said = output.read()
        code = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        return code, said.rstrip().rpartition("\n")[2]


def _begun(root: Path, command: Sequence[str], prepare: Callable[[], object] = lambda: None) -> _Fork:
    output, said = os.pipe()
    if child := os.fork():
        os.close(said)
        return _Fork(process=child, output=output)
    code = _TRACEBACK
    with suppress(BaseException):
        os.chdir(root)
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.path.insert(0, str(root))
        sys.dont_write_bytecode = True
        prepare()
        try:
            code = run_command(command)
        except BaseException:  # noqa: BLE001 - that it ends so is what is looked for
            traceback.print_exc()
        sys.stdout.flush()
    os._exit(code)


def _must(root: Path, command: Sequence[str], code: int) -> None:
    found, said = _begun(root, command).ended()
    if found != code:
        raise RuntimeError(f"{' '.join(command)} ended with {found}: {said}")
