"""Which languages can be asked for; apart from all that knows a network, so that a diagnosis starts fast."""

from __future__ import annotations

from vcnb.catalog import LANGUAGES
from vcnb.errors import SettingsError

__all__ = ["check_language"]


def check_language(language: str | None) -> None:
    """Refuse a language that the service does not have.

    Parameters
    ----------
    language : str or None
        Two-letter code; None is for the service to decide.

    Raises
    ------
    SettingsError
        On any other word.
    """
    if language is not None and not (isinstance(language, str) and language in LANGUAGES):
        raise SettingsError(f"{language!r} is no language of the service.", remedy=f"use one of {', '.join(LANGUAGES)}")
