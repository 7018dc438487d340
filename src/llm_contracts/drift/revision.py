"""Files as they were in a revision of git."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from llm_contracts.project.config import ConfigError
from llm_contracts.util.git import git, git_bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """A commit of the repository whose top folder is `top`."""

    top: Path
    commit: str

    def changed(self, folder: Path) -> tuple[Path, ...]:
        """The files below a folder that are new, gone or different in the working tree, without ignored ones.

        Raises:
            ConfigError: git failed.
        """
        names: set[str] = set()
        for arguments in (
            ("diff", "--name-only", "--no-renames", "-z", self.commit, "--", str(folder)),
            ("ls-files", "--others", "--exclude-standard", "-z", "--", str(folder)),
        ):
            output = git(self.top, *arguments)
            if output is None:
                raise ConfigError(f"git {arguments[0]} failed in {self.top}. Try it by hand.")
            names.update(output.split("\0"))
        return tuple(self.top / name for name in sorted(names) if name)

    def read(self, file: Path) -> bytes | None:
        """What a file held; None where it did not exist."""
        return git_bytes(
            self.top, "cat-file", "blob", f"{self.commit}:{file.relative_to(self.top).as_posix()}"
        )


def revision(folder: Path, name: str) -> Revision:
    """The commit to compare a working tree with: where it branched off from `name`, so that what others have
    done there since does not count. For `HEAD` and its ancestors that is `name` itself.

    Raises:
        ConfigError: there is no repository, or it does not know the name.
    """
    top = git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        raise ConfigError(f"{folder} is in no git repository, so there is nothing to compare with.")
    place = Path(top.strip())
    commit = git(place, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if commit is None:
        raise ConfigError(f"git knows no revision {name!r} here. A shallow clone may lack it: git fetch it.")
    base = git(place, "merge-base", commit.strip(), "HEAD")
    return Revision(top=place, commit=(base or commit).strip())
