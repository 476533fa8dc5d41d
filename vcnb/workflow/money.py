"""What a step costs, and whether it may still be taken."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral

from vcnb.catalog import MODELS, PRICE_PER_CREATION
from vcnb.client.text import count_characters
from vcnb.errors import (
    ClipError,
    ServiceBrokenError,
    ServiceError,
    ServiceUnreachableError,
    SettingsError,
    SpendLimitError,
)

__all__ = ["Estimate", "Purse", "Ticket", "estimate"]

# The service bills successes only (page, "Billing"); after any other end it may have billed.
NOT_BILLED = (ServiceError, ServiceUnreachableError, SettingsError, ClipError)


@dataclass(frozen=True)
class Estimate:
    """What something would cost by the price list.

    Parameters
    ----------
    creations : int
        Voices that would be made.
    characters : int
        Characters that would be spoken, as the service counts them.
    cost : float
        US dollars; 0 on the practice service.
    """

    creations: int
    characters: int
    cost: float

    def __str__(self) -> str:
        if not self.creations or not self.cost:
            return f"${self.cost:.4f}"
        # How much of the free quota is left is known to the service alone.
        spoken = self.cost - self.creations * PRICE_PER_CREATION
        speech = f"${spoken:.4f} for speech and " if self.characters else ""
        made = self.creations * PRICE_PER_CREATION
        return f"{speech}at most ${made:.2f}, free while your quota lasts"


def estimate(
    *, creations: int = 0, texts: str | Iterable[str] = (), target_model: str | None = None, free: bool = False
) -> Estimate:
    """Count and price voices and texts.

    Parameters
    ----------
    creations : int
        Voices that would be made.
    texts : str or iterable of str
        What would be spoken.
    target_model : str, optional
        The model that would speak; needed for texts.
    free : bool
        Whether this is the practice service.

    Returns
    -------
    Estimate

    Raises
    ------
    SettingsError
        If the model is none that speaks with cloned voices, there is a text and no model, or one is no text or no
        number.

    Notes
    -----
    The service's own count decides; ours follows its rule that a CJK character counts twice.
    """
    if not isinstance(creations, Integral) or creations < 0:
        raise SettingsError(f"{creations!r} is no number of voices.", remedy="give creations=, 0 or more")
    spoken = [texts] if isinstance(texts, str) or not isinstance(texts, Iterable) else list(texts)
    for text in spoken:
        if not isinstance(text, str):
            raise SettingsError(f"A {type(text).__name__} is no text.", remedy="give a str, or several of them")
    characters = sum(count_characters(text) for text in spoken)
    price = 0.0
    if spoken:
        if target_model is None:
            raise SettingsError("What a text costs depends on who speaks.", remedy="give voice= or target_model=")
        found = MODELS.get(target_model)
        if found is None:
            raise SettingsError(
                f"{target_model!r} is no model for cloned voices.", remedy=f"use one of {', '.join(MODELS)}"
            )
        price = found.price_per_10k * characters / 10_000
    cost = 0.0 if free else creations * PRICE_PER_CREATION + price
    return Estimate(creations, characters, cost)


class Purse:
    """Counts what is spent and refuses what would pass the limit; safe for threads.

    Parameters
    ----------
    limit : float or None
        US dollars; None for none.

    Raises
    ------
    SettingsError
        If the limit is no amount.
    """

    def __init__(self, limit: float | None = None) -> None:
        if limit is not None and not (isinstance(limit, int | float) and math.isfinite(limit) and limit >= 0):
            raise SettingsError(f"A spend limit of {limit!r} is no amount.", remedy="give US dollars, 0 or more")
        self.limit = limit
        self._lock = threading.RLock()  # a stream that is collected may settle in the midst of this
        self._spent = 0.0
        self._held = 0.0

    @property
    def spent(self) -> float:
        """US dollars so far, with what was asked for and may have been billed."""
        return self._spent

    def reserve(self, amount: float) -> Ticket:
        """Set money aside before a request.

        Parameters
        ----------
        amount : float
            US dollars.

        Returns
        -------
        Ticket
            To be settled or given back.

        Raises
        ------
        SpendLimitError
            If spent, set aside and this together would pass the limit.
        """
        with self._lock:
            # A millionth of a cent: sums of prices are not exact in binary.
            if self.limit is not None and self._spent + self._held + amount > self.limit + 1e-8:
                raise SpendLimitError(
                    f"This would pass the limit: ${self._spent + self._held:.4f} and ${amount:.4f} "
                    f"are over ${self.limit:.4f}.",
                    remedy="connect again with a higher spend_limit, or ask for less; nothing was sent",
                )
            self._held += amount
        return Ticket(self, amount)

    def _move(self, held: float, spent: float) -> None:
        with self._lock:
            self._held -= held
            self._spent += spent


class Ticket:
    """Money set aside for one request; only its first end counts.

    Used as a context it is settled in full, unless the error that leaves it says that nothing was billed.

    Parameters
    ----------
    purse : Purse
        Where it was set aside.
    amount : float
        US dollars.
    """

    def __init__(self, purse: Purse, amount: float) -> None:
        self._purse = purse
        self._amount = amount
        self._cost = 0.0
        self._open = True
        self._lock = threading.RLock()

    @property
    def cost(self) -> float:
        """US dollars that were counted as spent at its end; 0 before."""
        return self._cost

    def split(self, parts: int) -> list[Ticket]:
        """Break it into equal ones, which take its place.

        Parameters
        ----------
        parts : int
            How many.
        """
        with self._lock:
            self._open = False
        return [Ticket(self._purse, self._amount / parts) for _ in range(parts)]

    def settle(self, cost: float | None = None) -> None:
        """Count it as spent.

        Parameters
        ----------
        cost : float, optional
            US dollars by the service's own count; else the whole amount.
        """
        with self._lock:
            if self._open:
                self._open = False
                self._cost = self._amount if cost is None else cost
                self._purse._move(self._amount, self._cost)

    def give_back(self) -> None:
        """Take it back: nothing was billed."""
        self.settle(0.0)

    def fail(self, error: BaseException) -> None:
        """Settle or give back, by what went wrong.

        Parameters
        ----------
        error : BaseException
            What the request ended with.
        """
        senseless = isinstance(error, ServiceBrokenError) and not error.was_busy  # says nothing about the bill
        if isinstance(error, NOT_BILLED) and not senseless:
            self.give_back()
        else:
            self.settle()

    def __enter__(self) -> Ticket:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            self.settle()
        else:
            self.fail(error)
