"""Find a client by name: a built-in one, one that the project registers, or any `module:attribute`."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

from llm_contracts.clients.builtin import BUILTIN, LIBRARIES
from llm_contracts.clients.call import Client
from llm_contracts.clients.command import CommandClient
from llm_contracts.clients.libraries.litellm import offline_litellm


class ClientError(Exception):
    """A client's name leads nowhere. The message says why, and what would work."""


class UnknownNameError(ClientError):
    """No client has this name.

    Attributes:
        name: what was asked for.
        nearest: names that exist and look alike, best first.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name = name
        self.nearest = tuple(get_close_matches(name, known, n=3, cutoff=0.5))
        hint = (
            f"did you mean {' or '.join(self.nearest)}?" if self.nearest else f"known are {', '.join(known)}"
        )
        super().__init__(f"no client is called {name!r}: {hint} (or give module:attribute)")


def resolve(name: str, project: Mapping[str, Client]) -> Client:
    """The client of this name.

    Args:
        name: a built-in name, a key of `project`, or `module:attribute`.
        project: the clients that the project registers. A name that hides a built-in one is refused: scripts
            rely on what `openai` and `litellm` mean.

    Raises:
        UnknownNameError: nothing has this name; it lists the nearest ones.
        ClientError: the library of a built-in client is not installed, or the module cannot be imported, has
            no such attribute, or that is not callable; or a program cannot be found.
    """
    hidden = sorted(BUILTIN.keys() & project.keys())
    if hidden:
        raise ClientError(
            f"the project's clients redefine the built-in name {hidden[0]!r}: choose another name"
        )
    known = {**BUILTIN, **project}
    if name in BUILTIN:
        plain = name.removesuffix("-async")
        library = LIBRARIES.get(plain, plain)
        if not _is_installed(library):
            extra = library if library in BUILTIN else plain
            raise ClientError(
                f"the client {name!r} needs the library {library}: pip install 'llm-contracts[{extra}]'"
            )
    if name in known:
        client = known[name]
        if isinstance(client, CommandClient) and client.missing:
            raise ClientError(f"the client {name!r} needs the program {client.missing!r}, which is not there")
        return client
    if ":" in name:
        return _imported(name)
    raise UnknownNameError(name, tuple(sorted(known)))


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False


def _imported(name: str) -> Client:
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise ClientError(f"{name!r} is not a module:attribute: one of the two is empty")
    value = _attribute(_module(module_name, name), attribute, name)
    if not callable(value):
        raise ClientError(f"{name!r} is an object of type {type(value).__name__}, not a callable client")
    return cast("Client", value)


def _module(module: str, name: str) -> Any:
    if "/" in module or module.endswith(".py"):
        raise ClientError(
            f"{name!r}: {module} is a file; name the module, as in shop.llm:{name.split(':')[1]}"
        )
    try:
        with offline_litellm():
            return import_module(module)
    except Exception as error:
        raise ClientError(f"{name!r}: importing {module} failed: {type(error).__name__}: {error}") from error


def _attribute(module: Any, attribute: str, name: str) -> Any:
    value = module
    for part in attribute.split("."):
        if not hasattr(value, part):
            nearest = get_close_matches(part, [n for n in dir(value) if not n.startswith("_")], n=3)
            hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
            raise ClientError(f"{name!r}: {module.__name__} has no attribute {attribute!r}{hint}")
        value = getattr(value, part)
    return value
