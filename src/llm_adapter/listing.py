"""The providers' lists of models: asked all at once, seldom, and never waited for longer than is bearable."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from llm_adapter.settings import Account
from llm_adapter.waiting import started

Lister = Callable[[Account], Iterable[str]]
"""Asks a provider for its model ids, in the provider's order; raises when there is no good answer."""

PATIENCE_S = 5.0
"""How long all providers together are waited for."""

_RETRIED_AFTER_S = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """What is known of one provider's models.

    Attributes:
        models: its list; the last good one if it can no longer be had, None if there has been none.
        trouble: what kept it from being listed when it was last asked, in a word.
        until: when it is to be asked again.
    """

    models: tuple[str, ...] | None = None
    trouble: str = ""
    until: float = 0.0


@dataclass(slots=True)
class ModelLists:
    """The lists of accounts, each asked for when first needed and then for as long good as the settings say.

    Attributes:
        patience: seconds that all providers together are waited for; who is later is heard all the same.
        patience_after_trouble: the same where none of those that are asked answered the last time: it is some
            request that waits, once a minute.
        clock: tells seconds.
    """

    patience: float = PATIENCE_S
    patience_after_trouble: float = 1.0
    clock: Callable[[], float] = monotonic
    _known: dict[Account, Listed] = field(default_factory=dict, repr=False)
    _warned: set[str] = field(default_factory=set, repr=False)
    # By process: a fork may catch a lock that is held, and nobody would release it in the child.
    _locks: dict[int, Lock] = field(default_factory=dict, repr=False)

    def of(self, accounts: Sequence[Account], lister: Lister, lifetime: float) -> Mapping[Account, Listed]:
        """The lists of accounts. One thread asks; another that comes meanwhile gets what is known already,
        or waits where some provider has never been asked.
        """
        lock = self._locks.setdefault(os.getpid(), Lock())
        if lock.acquire(blocking=not all(account in self._known for account in accounts)):
            try:
                self._ask([each for each in accounts if self._is_due(each)], lister, lifetime)
            finally:
                lock.release()
        return {account: self._known.get(account, Listed()) for account in accounts}

    def warn(self, warnings: Iterable[str], logger: logging.Logger) -> None:
        """Log what has not been logged before."""
        for warning in warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                logger.warning("%s", warning)

    def _is_due(self, account: Account) -> bool:
        known = self._known.get(account)
        return known is None or self.clock() >= known.until

    def _ask(self, accounts: Sequence[Account], lister: Lister, lifetime: float) -> None:
        def ask(account: Account) -> None:
            try:
                models = tuple(lister(account))
            except Exception as error:  # noqa: BLE001 (whatever a provider or client does, the list must come)
                self._fail(account, type(error).__name__, lifetime)
            else:
                self._known[account] = Listed(models=models, until=self.clock() + lifetime)

        tasks = {account: started(lambda account=account: ask(account)) for account in accounts}  # type: ignore[misc]
        well = [account for account in accounts if not self._known.get(account, Listed()).trouble]
        done, _ = wait(tasks.values(), self.patience if well else self.patience_after_trouble)
        for account, task in tasks.items():
            if task not in done:
                self._fail(account, "no answer in time", lifetime)

    def _fail(self, account: Account, trouble: str, lifetime: float) -> None:
        known = self._known.get(account, Listed())
        self._known[account] = Listed(
            models=known.models,
            trouble=trouble,
            until=self.clock() + min(lifetime, _RETRIED_AFTER_S),
        )
