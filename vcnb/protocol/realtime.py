"""The messages of the realtime socket: every event of the service with every field; the client's the SDK writes.

Shapes: the service's page of server events (November 2026).
"""

from __future__ import annotations

import secrets
import string
from typing import Any

from vcnb.catalog import SPEECH_SAMPLE_RATE

from .synthesis import AUTO, characters

__all__ = [
    "CLEAR_MESSAGE",
    "ENGINE_VOICE_MESSAGE",
    "LATE_UPDATE_MESSAGE",
    "MODEL_CLOSE_CODE",
    "MODEL_MESSAGE",
    "REALTIME_PATH",
    "Round",
    "cleared",
    "error",
    "finished",
    "new_id",
    "new_session",
    "session_created",
    "session_updated",
]

REALTIME_PATH = "/api-ws/v1/realtime"

# Words of the service that carry a meaning.
LATE_UPDATE_MESSAGE = "Session update error: session already started or finished or failed."
CLEAR_MESSAGE = "only client commit mode supports clear operation"
ENGINE_VOICE_MESSAGE = "CLIENT_ERROR-[qwen-tts:]Engine return error code: 411"
MODEL_MESSAGE = "Model not found"
MODEL_CLOSE_CODE = 1007

_ALPHANUMERIC = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """Make an id as the service does: the prefix, an underscore and 21 letters or digits."""
    return prefix + "_" + "".join(secrets.choice(_ALPHANUMERIC) for _ in range(21))


def new_session(model: str) -> dict[str, Any]:
    """Write the session that stands before anything was said.

    Parameters
    ----------
    model : str
        From the address; the only place where it is named.
    """
    return {
        "object": "realtime.session",
        "mode": "server_commit",
        "model": model,
        "voice": "",
        "language_type": AUTO,
        "response_format": "pcm",
        "sample_rate": SPEECH_SAMPLE_RATE,
        "id": new_id("sess"),
    }


def session_created(session: dict[str, Any]) -> dict[str, Any]:
    """Write the first event of a socket."""
    shown = {key: value for key, value in session.items() if key != "language_type"}
    return _event("session.created", session=shown)


def session_updated(session: dict[str, Any]) -> dict[str, Any]:
    """Write the echo of the whole session."""
    return _event("session.updated", session=dict(session))


def cleared() -> dict[str, Any]:
    """Write the answer to a clear."""
    return _event("input_text_buffer.cleared")


def finished() -> dict[str, Any]:
    """Write the only event that ends a session."""
    return _event("session.finished")


def error(code: str, message: str, *, param: str | None = None, cause: str | None = None) -> dict[str, Any]:
    """Write an error that ends the session.

    Parameters
    ----------
    code, message : str
        The service's.
    param : str, optional
        The field that is wrong.
    cause : str, optional
        ``event_id`` of the client's event. Given, the error is one that the session survives: it then carries
        the type "invalid_request_error", which the SDK's second version takes for a sign to stay connected.
    """
    found: dict[str, Any] = {"code": code, "message": message}
    if param is not None:
        found["param"] = param
    if cause is not None:
        found |= {"type": "invalid_request_error", "event_id": cause}
    return _event("error", error=found)


class Round:
    """The events of one response, from the text to its end.

    Parameters
    ----------
    voice : str
        Who speaks.
    text : str
        What is spoken.
    """

    def __init__(self, *, voice: str, text: str) -> None:
        self.id = new_id("resp")
        self.item_id = new_id("item")
        self._voice = voice
        self._text = text

    def opening(self) -> list[dict[str, Any]]:
        """Write the events before the sound."""
        response = self._response("in_progress")
        return [
            # Empty in recorded sessions of the hosted service.
            _event("input_text_buffer.committed", item_id=""),
            _event("response.created", response=response | {"output": []}),
            _event("response.output_item.added", response_id=self.id, output_index=0, item=self._item("in_progress")),
            self._placed("response.content_part.added", part={"type": "audio", "text": ""}),
        ]

    def delta(self, data: str) -> dict[str, Any]:
        """Write one piece of sound, given as base64."""
        return self._placed("response.audio.delta", delta=data)

    def closing(self, *, status: str = "completed", audio_done_first: bool = False) -> list[dict[str, Any]]:
        """Write the events after the sound.

        Parameters
        ----------
        status : {"completed", "failed", "incomplete"}
            How it ended.
        audio_done_first : bool
            Both orders of the done events are reported; the documented one has it last.
        """
        audio_done = self._placed("response.audio.done")
        item = self._item(status, content=[{"type": "audio", "text": ""}])
        others = [
            self._placed("response.content_part.done", part={"type": "audio", "text": ""}),
            _event("response.output_item.done", response_id=self.id, output_index=0, item=item),
        ]
        output = [self._item(status, content=[{"type": "audio", "transcript": ""}])]
        response = self._response(status) | {
            "modalities": ["text", "audio"],
            "output": output,
            "usage": {"characters": characters(self._text)},
        }
        done = [audio_done, *others] if audio_done_first else [*others, audio_done]
        return [*done, _event("response.done", response=response)]

    def _response(self, status: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "realtime.response",
            "conversation_id": "",
            "status": status,
            "voice": self._voice,
        }

    def _item(self, status: str, *, content: list[dict[str, str]] | None = None) -> dict[str, Any]:
        return {
            "id": self.item_id,
            "object": "realtime.item",
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": content or [],
        }

    def _placed(self, kind: str, **fields: Any) -> dict[str, Any]:
        place = {"response_id": self.id, "item_id": self.item_id, "output_index": 0, "content_index": 0}
        return _event(kind, **place, **fields)


def _event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"event_id": new_id("event"), "type": kind, **fields}
