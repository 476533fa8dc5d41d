"""Facts of the hosted service: regions, models, languages, limits, prices.

"page" is the service's page "Qwen voice cloning API"; "reference" are its pages on Qwen speech synthesis
(HTTP, realtime) and on error codes, read in November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "BYTES_PER_FILE",
    "BYTES_REFUSED",
    "CHARACTERS_PER_REQUEST",
    "DAYS_UNUSED",
    "ENROLLMENT_MODEL",
    "FREE_CREATIONS",
    "FREE_DAYS",
    "LANGUAGES",
    "MEDIA_TYPES",
    "MODELS",
    "Model",
    "NAME_LENGTH",
    "PAGE_SIZE_LIMIT",
    "PRICE_PER_CREATION",
    "REGIONS",
    "REQUESTS_PER_MINUTE",
    "Region",
    "SAMPLE_RATE_LIMIT",
    "SECONDS_LIMIT",
    "SECONDS_OF_SPEECH",
    "SPEECH_SAMPLE_RATE",
    "SYSTEM_VOICES",
    "VOICES_PER_ACCOUNT",
]

Transport = Literal["http", "realtime"]


@dataclass(frozen=True)
class Region:
    """Where the service is reached.

    Parameters
    ----------
    name : str
        "singapore", "beijing" or "practice".
    http_base : str
        Base of every HTTP call, ending in ``/api/v1``.
    workspace_suffix : str
        Host suffix of the newer addresses, ``{workspace}.{suffix}``.
    """

    name: str
    http_base: str
    workspace_suffix: str


# Page, "Create voice", URL; the workspace hosts: reference (clone page of November 2026).
REGIONS: dict[str, Region] = {
    "singapore": Region("singapore", "https://dashscope-intl.aliyuncs.com/api/v1", "ap-southeast-1.maas.aliyuncs.com"),
    "beijing": Region("beijing", "https://dashscope.aliyuncs.com/api/v1", "cn-beijing.maas.aliyuncs.com"),
}


@dataclass(frozen=True)
class Model:
    """A speech model that speaks with cloned voices.

    Parameters
    ----------
    name : str
        The service's name, bound for life to each voice that is made for it.
    transport : {"http", "realtime"}
        The only way it can be reached.
    price_per_10k : float
        US dollars for 10,000 characters.
    """

    name: str
    transport: Transport
    price_per_10k: float


# Page, "Model configuration"; prices: reference (November 2026).
MODELS: dict[str, Model] = {
    found.name: found
    for found in (
        Model("qwen3-tts-vc-2026-01-22", "http", 0.115),
        Model("qwen3-tts-vc-realtime-2026-01-15", "realtime", 0.13),
        Model("qwen3-tts-vc-realtime-2025-11-27", "realtime", 0.13),
    )
}

ENROLLMENT_MODEL = "qwen-voice-enrollment"  # page: a literal that never changes

# Page, "Audio requirements"; names on the synthesis wire: reference.
LANGUAGES: dict[str, str] = {
    "zh": "Chinese",
    "en": "English",
    "de": "German",
    "it": "Italian",
    "pt": "Portuguese",
    "es": "Spanish",
    "ja": "Japanese",
    "ko": "Korean",
    "fr": "French",
    "ru": "Russian",
}

# Page, "Speech synthesis": cloning models refuse them. It names these four; any other is no voice of the account.
SYSTEM_VOICES = frozenset(["Chelsie", "Serena", "Ethan", "Cherry"])

BYTES_PER_FILE = 10_000_000  # page: < 10 MB, encoded or at a URL; the smaller reading of MB is the safe one
BYTES_REFUSED = 10 * 2**20  # the larger reading; reference: sister models name 10485760 when they refuse a data URI
SECONDS_LIMIT = 60.0  # page: maximum 60 seconds
SECONDS_OF_SPEECH = 3.0  # page: at least 3 seconds of continuous, clear speech
SAMPLE_RATE_LIMIT = 24_000  # page: >= 24 kHz
NAME_LENGTH = 16  # page: digits, letters and underscores only
VOICES_PER_ACCOUNT = 1_000  # page, "Quota limit"
DAYS_UNUSED = 365  # page, "Quota limit": a voice that no request used for a year is deleted by the service
FREE_CREATIONS, FREE_DAYS = 1_000, 90  # page, "Billing": within 90 days of activating the service
PAGE_SIZE_LIMIT = 1_000_000  # page, "List voices"
PRICE_PER_CREATION = 0.01  # page, "Billing", US dollars for each voice that is made
CHARACTERS_PER_REQUEST = 600  # reference: qwen3-tts models over HTTP
REQUESTS_PER_MINUTE = 180  # reference: cloning models, per account and model
SPEECH_SAMPLE_RATE = 24_000  # reference: 24 kHz, 16 bit, mono

# Page, "audio.data": the container as sniffed from the content -> media type of the data URI.
MEDIA_TYPES: dict[str, str] = {"wav": "audio/wav", "mp3": "audio/mpeg", "mp4": "audio/mp4"}
