"""What is installed in this environment, and how this package got here, so that others can get it, too."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from llm_contracts.project.config import ConfigError

DISTRIBUTION = "llm-adapter"
_EXTRA = "contracts"


def installed() -> Mapping[str, str]:
    """Package → release, of everything that is installed but this package itself."""
    found = {d.metadata["Name"].lower().replace("_", "-"): d.version for d in metadata.distributions()}
    found.pop(DISTRIBUTION, None)
    return dict(sorted(found.items()))


def harness_line(direct_url: str | None, version: str) -> str:
    """The requirement that brings this very package with what it needs for checking.

    Args:
        direct_url: `direct_url.json` as PEP 610 has it: there, if the package came from a folder or a file.
        version: its release, for one that came from an index.
    """
    if direct_url is None:
        return f"{DISTRIBUTION}[{_EXTRA}]=={version}"
    source = json.loads(direct_url)
    if source.get("dir_info", {}).get("editable"):
        return f"-e {unquote(urlsplit(source['url']).path)}[{_EXTRA}]"
    return f"{DISTRIBUTION}[{_EXTRA}] @ {source['url']}"


def this_harness() -> str:
    """The line for the package that runs."""
    distribution = metadata.distribution(DISTRIBUTION)
    return harness_line(distribution.read_text("direct_url.json"), distribution.version)


def find_uv(environ: Mapping[str, str]) -> Path:
    """The program uv: what the variable `UV` names (uv sets it for what it runs), the one of the extra
    `matrix`, or any on the PATH.

    Raises:
        ConfigError: there is none.
    """
    if environ.get("UV"):
        return Path(environ["UV"])
    try:
        from uv import find_uv_bin

        return Path(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        msg = f"The matrix needs uv: pip install '{DISTRIBUTION}[matrix]', or any uv on the PATH."
        raise ConfigError(msg)
    return Path(found)


def requirement_sources(root: Path, harness: str) -> tuple[Path, ...]:
    """The project's own requirements, where it is another project than this package."""
    file = root / "pyproject.toml"
    own = f"-e {root}["
    if harness.startswith(own) or not file.is_file() or "[project]" not in file.read_text(encoding="utf-8"):
        return ()
    return (file,)
