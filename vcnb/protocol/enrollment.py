"""The enrollment messages: create, list and delete, as the service's page gives them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from vcnb.catalog import ENROLLMENT_MODEL

__all__ = [
    "ENROLLMENT_PATH",
    "create_payload",
    "created",
    "data_uri",
    "delete_payload",
    "deleted",
    "list_payload",
    "listed",
]

ENROLLMENT_PATH = "/services/audio/tts/customization"


def data_uri(data: bytes, media_type: str) -> str:
    """Pack a file into a data URI.

    Parameters
    ----------
    data : bytes
        The file.
    media_type : str
        "audio/wav", "audio/mpeg" or "audio/mp4", by its content.
    """
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def create_payload(
    *, target_model: str, preferred_name: str, audio: str, text: str | None = None, language: str | None = None
) -> dict[str, Any]:
    """Write the request that makes a voice; what is not given is not sent.

    Parameters
    ----------
    target_model, preferred_name : str
        As the page names them.
    audio : str
        A data URI or a public URL.
    text : str, optional
        The transcript; the service compares.
    language : str, optional
        Two-letter code.
    """
    message: dict[str, Any] = {
        "action": "create",
        "target_model": target_model,
        "preferred_name": preferred_name,
        "audio": {"data": audio},
    }
    if text is not None:
        message["text"] = text
    if language is not None:
        message["language"] = language
    return {"model": ENROLLMENT_MODEL, "input": message}


def list_payload(page_index: int, page_size: int) -> dict[str, Any]:
    """Write the request for one page of voices, counted from 0."""
    return {"model": ENROLLMENT_MODEL, "input": {"action": "list", "page_index": page_index, "page_size": page_size}}


def delete_payload(voice: str) -> dict[str, Any]:
    """Write the request that deletes a voice."""
    return {"model": ENROLLMENT_MODEL, "input": {"action": "delete", "voice": voice}}


def created(voice: str, target_model: str, *, fallback_reason: str | None = None) -> dict[str, Any]:
    """Write the output that answers a creation.

    Parameters
    ----------
    voice, target_model : str
        The new voice and the model it is bound to.
    fallback_reason : str, optional
        Says that the voice was made by a degraded way (reference: clone page of November 2026).
    """
    output: dict[str, Any] = {"voice": voice, "target_model": target_model}
    if fallback_reason is not None:
        output |= {"fallback_mode": True, "fallback_reason": fallback_reason}
    return output


def listed(
    rows: Sequence[Mapping[str, Any]], *, page_index: int, page_size: int, total_count: int | None
) -> dict[str, Any]:
    """Write the output that answers a list.

    Parameters
    ----------
    rows : sequence of mappings
        ``voice``, ``gmt_create``, ``gmt_modified``, ``language`` (or None) and ``target_model`` of each voice.
    page_index, page_size : int
        Echoed. The page does not name them; the newer reference does.
    total_count : int or None
        None: not said, as on the page.
    """
    voices = [{key: value for key, value in row.items() if value is not None} for row in rows]
    output: dict[str, Any] = {"page_index": page_index, "page_size": page_size, "voice_list": voices}
    if total_count is not None:
        output["total_count"] = total_count
    return output


def deleted(voice: str) -> dict[str, Any]:
    """Write the output that answers a deletion."""
    return {"voice": voice}
