"""A stored result knows what it was made from, down to the project's own code."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import pytest

from llm_contracts.project.config import load_settings
from llm_contracts.project.inputs import SETTINGS, changed_since, code_files, input_files, outdated
from llm_contracts.project.load import load_project
from llm_contracts.util.versions import installed_packages, installed_version, versions
from tests.harness.meanwhile import meanwhile
from tests.harness.run.projects import TOML, make_project


def test_the_projects_own_modules_are_inputs_and_installed_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project(tmp_path)
    (root / "my_own_client.py").write_text("answer = 1\n")
    monkeypatch.syspath_prepend(root)
    import my_own_client  # type: ignore[import-not-found]

    settings = load_settings(root)
    load_project(settings)
    stored = input_files(settings)
    assert {"my_own_client.py", "contracts/clients.py", "cassettes/acme/other.yaml"} <= stored.keys()
    assert not [name for name in stored if "site-packages" in name]
    assert changed_since(settings, stored) == ()
    (root / "my_own_client.py").write_text("answer = 2\n")
    (root / "cassettes" / "acme" / "other.yaml").unlink()
    assert changed_since(settings, stored) == ("cassettes/acme/other.yaml", "my_own_client.py")
    del sys.modules[my_own_client.__name__]


def test_loaded_code_is_known_by_its_real_folder_however_a_module_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path.resolve()
    inner = root / "real" / "inner"
    inner.mkdir(parents=True)
    (root / "link").symlink_to(root / "real")
    monkeypatch.chdir(inner.parent)
    written = {
        "plain": f"{inner}/plain.py",
        "linked": f"{root}/link/inner/linked.py",
        "upwards": f"{root}/link/../real/inner/upwards.py",
        "dotted": f"{root}/real/./inner/dotted.py",
        "relative": "inner/relative.py",
        "doubled": f"{root}//real/inner//doubled.py",
    }
    for name, file in written.items():
        (inner / f"{name}.py").touch()
        module = ModuleType(name)
        module.__file__ = file
        monkeypatch.setitem(sys.modules, f"somewhere_{name}", module)
    found = {file for file in code_files(root / "project") if file.is_relative_to(root) and file.is_file()}
    assert found == {inner / f"{name}.py" for name in written}


def test_recordings_outside_the_project_and_behind_links_are_inputs(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    root = make_project(tmp_path / "project", toml=TOML + f'cassettes = "{elsewhere}"\n')
    (root / "cassettes" / "acme").rename(tmp_path / "behind")
    (root / "cassettes" / "acme").symlink_to(tmp_path / "behind")
    (root / "cassettes").rename(elsewhere)
    stored = input_files(load_settings(root))
    (tmp_path / "behind" / "other.yaml").unlink()
    (elsewhere / "zenith" / "plain-stream.yaml").write_text("")
    changed = (str(elsewhere / "acme" / "other.yaml"), str(elsewhere / "zenith" / "plain-stream.yaml"))
    assert changed_since(load_settings(root), stored) == changed


@pytest.mark.parametrize(
    "said",
    ['strict = ["null"]', 'categories = ["shop.Error"]', '[tool.llm_contracts.client.c]\ncommand = ["c"]'],
)
def test_what_the_settings_say_about_comparing_is_an_input(tmp_path: Path, said: str) -> None:
    root = make_project(tmp_path)
    stored = input_files(load_settings(root))
    (root / "pyproject.toml").write_text(f"{TOML}waiver_warning_days = 3\n")
    assert changed_since(load_settings(root), stored) == ()
    (root / "pyproject.toml").write_text(f"{TOML}{said}\n")
    assert changed_since(load_settings(root), stored) == (SETTINGS,)


def test_a_result_does_not_outlive_the_release_of_any_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client's own library, or what lies below one; what was not there yet changes nothing."""
    settings = load_settings(make_project(tmp_path / "project"))
    monkeypatch.syspath_prepend(tmp_path)
    release = tmp_path / "My_Client-1.0.dist-info"
    for folder in (release, tmp_path / "old_egg-2.0-py3.11.egg-info", tmp_path / "shop.egg-info"):
        folder.mkdir()
    now, packages = datetime.now(UTC), installed_packages()
    assert (packages["httpx"], packages["my-client"]) == (metadata.version("httpx"), "1.0")
    assert packages["old-egg"] == "2.0"
    (tmp_path / "single-3.0.egg-info").write_text("Name: single\nVersion: 3.0\n\nOf distutils.")
    assert [*map(installed_version, ("Single", "no-such"))] == ["3.0", None]
    assert "shop" not in packages  # as `shop==` it would keep `matrix` from resolving anything
    made = {"reference": "mine", "candidate": "other", "checked_at": now.isoformat(), "versions": versions()}
    made["packages"] = packages
    (tmp_path / "another-3.dist-info").mkdir()
    assert outdated(settings, made, now=now) == ()
    release.rename(tmp_path / "my_client-1.1.dist-info")
    assert outdated(settings, made, now=now) == ("my-client",)


_BY_SPEC = """
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("any", {beside!r})
spec.loader.exec_module(module_from_spec(spec))
"""


@pytest.mark.parametrize(
    "loading",
    [
        "import runpy\nrunpy.run_path({beside!r})",
        _BY_SPEC,
        "exec(compile('x = 1', {beside!r}, 'exec'))",
        "import sys\nsys.path.insert(0, {archive!r})\nimport module_in_an_archive",
    ],
)
def test_code_that_is_loaded_past_pythons_modules_is_an_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loading: str
) -> None:
    root = make_project(tmp_path)
    beside, archive = root / "beside.py", root / "archive.zip"
    beside.write_text("x = 1\n")
    with ZipFile(archive, "w") as packed:
        packed.writestr("module_in_an_archive.py", "x = 1\n")
    with (root / "contracts" / "clients.py").open("a") as clients:
        clients.write(loading.format(beside=str(beside), archive=str(archive)))
    monkeypatch.setattr(sys, "path", [*sys.path])
    load_project(load_settings(root))
    monkeypatch.delitem(sys.modules, "module_in_an_archive", raising=False)
    loaded = archive if "archive" in loading else beside
    assert loaded.name in input_files(load_settings(root))


def test_recordings_that_others_remove_meanwhile_do_not_end_the_look_at_what_has_changed(
    tmp_path: Path,
) -> None:
    settings = load_settings(make_project(tmp_path))
    stored = input_files(settings)

    def make_and_remove(number: int) -> None:
        file = settings.cassettes / f"folder-{number}" / "file.yaml"
        file.parent.mkdir()
        file.touch()
        file.unlink()
        file.parent.rmdir()

    with meanwhile(make_and_remove):
        for _ in range(300):
            changed = changed_since(settings, stored)
            assert all(name.startswith("cassettes/folder-") for name in changed)
