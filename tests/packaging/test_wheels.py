"""Each distribution alone in an environment: it is whole, and brings nothing of the other."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.packaging.wheels import ROOT, build, install

pytestmark = pytest.mark.long

Folder = pytest.TempPathFactory
PACKAGES = ("llm_adapter", "llm_contracts")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: Folder) -> Mapping[str, Path]:
    return {package: build(package, tmp_path_factory.mktemp(package)) for package in PACKAGES}


def environment(wheel: Path) -> Path:
    """Where it is installed.

    Raises:
        Skipped: no index has what it needs, and set-up has not left it either.
    """
    folder = wheel.parent / "env"
    try:
        install(folder, str(wheel))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no package index can be reached: {error.stderr.strip().splitlines()[-1]}")
    return folder


@pytest.fixture(scope="module")
def harness(wheels: Mapping[str, Path]) -> Path:
    return environment(wheels["llm_contracts"])


@pytest.fixture(scope="module")
def adapter(wheels: Mapping[str, Path]) -> Path:
    return environment(wheels["llm_adapter"])


def ran(environment: Path, program: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A program of the environment, in a folder of its own."""
    return subprocess.run(
        [environment / "bin" / program, *words],
        cwd=cwd,
        env={"PATH": f"{environment / 'bin'}:/usr/bin:/bin", "HOME": str(cwd)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def distributions(environment: Path) -> set[str]:
    found = environment.glob("lib/*/site-packages/*.dist-info")
    return {each.name.partition("-")[0].lower().replace("_", "-") for each in found}


def test_the_harness_brings_no_client(harness: Path) -> None:
    found = distributions(harness)
    assert "llm-contracts" in found
    assert (
        found & {"llm-adapter", "litellm", "openai", "httpx", "langfuse", "vcrpy", "distributed", "uv"}
        == set()
    )


def test_the_harness_starts(harness: Path, tmp_path: Path) -> None:
    done = ran(harness, "llm-contracts", "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Replay every recording through both clients" in done.stdout


def test_its_pytest_plugin_is_loaded(harness: Path, tmp_path: Path) -> None:
    done = ran(harness, "pytest", "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--llm-contracts-engine" in done.stdout


def test_every_module_of_the_harness_can_be_imported_but_those_of_an_extra(
    harness: Path, tmp_path: Path
) -> None:
    script = """
import importlib, pkgutil, llm_contracts
for module in pkgutil.walk_packages(llm_contracts.__path__, "llm_contracts."):
    if module.name != "llm_contracts.__main__":
        try:
            importlib.import_module(module.name)
        except ImportError as error:
            print(module.name, error.name)
"""
    done = ran(harness, "python", "-c", script, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("llm_contracts.run.engines.vcr vcr\n", "")


def test_the_adapter_brings_nothing_of_the_harness_and_no_requests(adapter: Path, tmp_path: Path) -> None:
    script = (
        "import llm_adapter, llm_adapter.legacy; print(llm_adapter.adapter_from({}).get_current_models(None))"
    )
    done = ran(adapter, "python", "-c", script, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
    found = distributions(adapter)
    assert {"llm-adapter", "litellm", "openai"} <= found
    # Langfuse is the application's own: whoever gives a span has it.
    assert found & {"llm-contracts", "pytest", "rich", "brotli", "syrupy", "langfuse"} == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wheel_holds_the_package_and_nothing_else(package: str, wheels: Mapping[str, Path]) -> None:
    with zipfile.ZipFile(wheels[package]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "."],
        cwd=ROOT / "src" / package, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    files = {name for name in tracked if (ROOT / "src" / package / name).exists()}
    assert names == {f"{package}/{name}" for name in files - {"LICENSE", "README.md", "pyproject.toml"}}


@pytest.mark.parametrize("package", PACKAGES)
def test_each_distribution_carries_the_licence(package: str) -> None:
    assert (ROOT / "src" / package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
