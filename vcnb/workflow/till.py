"""The money for the creations of one call: set aside before the first request, counted request by request."""

from __future__ import annotations

from vcnb.library.intents import Intent

from .money import Purse, Ticket

__all__ = ["Till"]


class Till:
    """Hands out money for requests.

    Parameters
    ----------
    purse : Purse
        Where it comes from.
    price : float
        US dollars of one creation.
    n_voices : int
        How many are expected; their money is set aside at once.
    counted : set of str
        Intents whose money the purse has counted. One that is sent once more, since nothing came of it, is not counted
        twice.

    Raises
    ------
    SpendLimitError
        If they would pass the limit together.
    """

    def __init__(self, purse: Purse, price: float, n_voices: int, counted: set[str]) -> None:
        self._purse, self._price, self._counted = purse, price, counted
        self._unused = purse.reserve(price * n_voices).split(n_voices) if n_voices else []
        self._given: list[tuple[str, Ticket]] = []

    def pay(self, intent: Intent) -> Ticket:
        """Set the money for one request aside, where that was not done before.

        Raises
        ------
        SpendLimitError
            If it would pass the limit.
        """
        if intent.id in self._counted:
            return Ticket(self._purse, 0.0)
        ticket = self._unused.pop() if self._unused else self._purse.reserve(self._price)
        self._given.append((intent.id, ticket))
        return ticket

    def close(self) -> None:
        """Give back what no request was sent for."""
        for ticket in self._unused:
            ticket.give_back()
        for intent, ticket in self._given:
            ticket.give_back()  # has an effect only on one that was not used
            if ticket.cost > 0:
                self._counted.add(intent)
