"""What does the practice service refuse, and in which words?"""

from __future__ import annotations

__all__ = ["Refusal"]


class Refusal(Exception):
    """An answer that says no, in the service's own form.

    Parameters
    ----------
    status : int
        HTTP status.
    code, message : str
        As the service's list of errors gives them.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
