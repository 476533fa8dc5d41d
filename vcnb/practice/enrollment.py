"""How a voice is made, listed and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from vcnb.catalog import ENROLLMENT_MODEL, VOICES_PER_ACCOUNT
from vcnb.protocol import enrollment as messages

from . import rules
from .context import CONTEXT, Context, answer, before, finish_anyway, read_message
from .engines.engine import Reference, UnusableReferenceError
from .faults import Drawn
from .fetch import fetch
from .rules import Refusal
from .state import Stored, full

__all__ = ["customization"]


async def customization(request: web.Request) -> web.StreamResponse:
    """Answer a create, list or delete.

    Raises
    ------
    Refusal
        If the request is wrong.
    """
    message = await read_message(request)
    asked = message["input"]
    action = asked.get("action")
    if message["model"] != ENROLLMENT_MODEL:
        # The families that share this path have fields of their own: voice-enrollment (CosyVoice), qwen-voice-design.
        raise Refusal(400, "InvalidParameter", "Model not exist.")
    if not isinstance(action, str) or action not in _ACTIONS:
        raise rules.ours("action")
    context = request.app[CONTEXT]
    drawn = context.faults.draw(action)
    instead = await before(request, drawn)
    if instead is not None:
        return instead
    output = await _ACTIONS[action](request, asked, drawn)
    return await answer(request, drawn, output)


@dataclass(frozen=True)
class _Wanted:
    """A creation whose fields are in order."""

    target_model: str
    preferred_name: str
    audio: str = field(repr=False)
    text: str | None
    language: str | None


def _wanted(asked: dict[str, Any]) -> _Wanted:
    audio = asked.get("audio")
    data = audio.get("data") if isinstance(audio, dict) else None
    wanted = _Wanted(
        target_model=rules.target_model(asked.get("target_model")),
        preferred_name=rules.preferred_name(asked.get("preferred_name")),
        audio=data if isinstance(data, str) else "",
        text=rules.transcript(asked.get("text")),
        language=rules.language(asked.get("language")),
    )
    if not wanted.audio:
        raise rules.ours("audio")
    return wanted


async def _create(request: web.Request, asked: dict[str, Any], drawn: Drawn) -> dict[str, Any]:
    context = request.app[CONTEXT]
    wanted = _wanted(asked)
    if await asyncio.to_thread(context.state.count) >= VOICES_PER_ACCOUNT:
        raise full()
    own_port = int(request.transport.get_extra_info("sockname")[1]) if request.transport else 0
    stored = await finish_anyway(context, lambda check: _make(context, wanted, own_port, check))
    reason = drawn["fallback"]["reason"] if "fallback" in drawn else None
    output = messages.created(stored.voice, stored.target_model, fallback_reason=reason)
    return {"output": output, "usage": {"count": 1}}


async def _make(context: Context, wanted: _Wanted, own_port: int, check: Callable[[], None]) -> Stored:
    if wanted.audio[:5].lower() == "data:":
        data = await asyncio.to_thread(rules.unpack, wanted.audio)
    else:
        data = await fetch(wanted.audio, own_port=own_port)
    judged = await asyncio.to_thread(rules.judge_audio, data, text=wanted.text, language=wanted.language)
    reference = Reference(judged.samples, judged.sample_rate, wanted.text)
    try:
        profile = await context.speaker.profile(reference)
    except UnusableReferenceError:
        raise Refusal(400, "Audio.PreprocessError", "No segments meet minimum duration requirement") from None
    return await asyncio.to_thread(
        context.state.create,
        preferred_name=wanted.preferred_name,
        target_model=wanted.target_model,
        language=wanted.language,
        reference=reference,
        profile=profile,
        version=context.speaker.version,
        check=check,
    )


async def _list(request: web.Request, asked: dict[str, Any], drawn: Drawn) -> dict[str, Any]:
    state = request.app[CONTEXT].state
    page_index = rules.page_number(asked.get("page_index", 0))
    page_size = rules.page_number(asked.get("page_size", 10))
    echoed = page_size
    if "page_size_capped" in drawn:
        page_size = min(page_size, int(drawn["page_size_capped"]["limit"]))
        echoed = page_size if drawn["page_size_capped"]["echo"] else echoed
    found = await asyncio.to_thread(state.page, page_index, page_size)
    total = None if "no_total_count" in drawn else await asyncio.to_thread(state.count)
    if "voice_made" in drawn:
        await asyncio.to_thread(state.copy_newest)
    if "voice_deleted" in drawn:
        for newest in await asyncio.to_thread(state.page, 0, 1):
            await asyncio.to_thread(state.delete, newest.voice)
    rows = [each.row() for each in found]
    output = messages.listed(rows, page_index=page_index, page_size=echoed, total_count=total)
    return {"output": output, "usage": {"count": 0}}


async def _delete(request: web.Request, asked: dict[str, Any], drawn: Drawn) -> dict[str, Any]:
    voice = asked.get("voice")
    if not isinstance(voice, str) or not voice:
        raise rules.ours("voice")
    context = request.app[CONTEXT]
    if not await finish_anyway(context, lambda check: asyncio.to_thread(context.state.delete, voice, check)):
        raise Refusal(400, "BadRequest.VoiceNotFound", f"Voice '{voice}' not found.")
    usage: dict[str, Any] = {"usage": {"count": 0}}
    return usage if "bare_delete" in drawn else {"output": messages.deleted(voice)} | usage


_ACTIONS = {"create": _create, "list": _list, "delete": _delete}
