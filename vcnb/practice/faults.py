"""Which faults can be asked for, and which request gets which.

A fault breaks a request; a switch makes the service answer in another way that it is also known for. Both are asked for
by a rule: for which operation, how often, after how many. A request gets the first fault that is due and every switch.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .documented import of_code

__all__ = ["Drawn", "FAULTS", "Fault", "Faults", "OPERATIONS", "Rule", "parse_rule"]

_FORM = frozenset(["create", "list", "delete"])
_SPEECH = frozenset(["synthesis", "sse"])
_HTTP = _FORM | _SPEECH
_JSON = _FORM | {"synthesis"}
_STREAMS = frozenset(["sse", "realtime"])
OPERATIONS = _HTTP | {"result", "upgrade", "realtime"}


@dataclass(frozen=True)
class Fault:
    """One thing that can go wrong, or be otherwise.

    Parameters
    ----------
    operations : frozenset of str
        Where it can happen.
    doc : str
        What happens.
    parameters : mapping
        Their defaults.
    switch : bool
        Whether it is another way and no failure.
    """

    operations: frozenset[str]
    doc: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    switch: bool = False


def _refusal(code: str, message: str | None = None) -> dict[str, Any]:
    status, _, documented = of_code(code)
    return {"status": status, "code": code, "message": message or documented}


# The rules of the page that the service does not measure; which code the hosted service answers is not documented.
_SEGMENTS = "No segments meet minimum duration requirement"
_ANY_REFUSAL = {"code": "InternalError", "status": None, "message": None}


def _whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


# What a parameter may be, beside its default.
_VALUES: dict[str, Callable[[Any], bool]] = {
    "after": _whole(0, 1_000_000),
    "close": lambda value: isinstance(value, bool),
    "close_code": _whole(1000, 4999),  # RFC 6455 7.4
    "code": _is_text,
    "echo": lambda value: isinstance(value, bool),
    "limit": _whole(1, 1_000_000),
    "message": _is_text,
    "reason": _is_text,
    "seconds": lambda value: type(value) in (int, float) and 0 <= value <= 86_400,
    "status": _whole(400, 599),
}

FAULTS: dict[str, Fault] = {
    # before anything was done
    "error": Fault(
        _HTTP | {"result", "upgrade"}, "a documented error; status and message follow from it", _ANY_REFUSAL
    ),
    "empty_error": Fault(_HTTP | {"upgrade"}, "an error whose body is {}, as workspace hosts answer", {"status": 400}),
    "not_json": Fault(_HTTP | {"upgrade"}, "an error page in HTML, as a gateway answers", {"status": 502}),
    "slow": Fault(OPERATIONS, "waits some seconds, or until released (null), then goes on", {"seconds": None}),
    "stall": Fault(OPERATIONS, "never answers"),
    "reset": Fault(_HTTP | {"result", "upgrade"}, "reads the request, does nothing, resets the connection"),
    "content_refused": Fault(_HTTP, "moderation", _refusal("DataInspectionFailed")),
    "music": Fault(frozenset(["create"]), "finds music", _refusal("Audio.PreprocessError", _SEGMENTS)),
    "noise": Fault(frozenset(["create"]), "finds noise", _refusal("Audio.PreprocessError", _SEGMENTS)),
    "other_voices": Fault(frozenset(["create"]), "finds a second voice", _refusal("Audio.PreprocessError", _SEGMENTS)),
    "singing": Fault(frozenset(["create"]), "finds singing", _refusal("Audio.PreprocessError", _SEGMENTS)),
    # after it was done
    "reset_after": Fault(_JSON, "does what was asked, then resets the connection instead of answering"),
    "stall_after": Fault(_JSON, "does what was asked and never answers"),
    "half_body": Fault(_JSON | {"result"}, "does what was asked, sends half the answer, closes"),
    "no_output": Fault(_HTTP, "answers 200 without output"),
    "silent": Fault(_SPEECH | {"realtime"}, "no sound at all, then a proper end"),
    "truncated_result": Fault(frozenset(["result"]), "a file of half the length that its header promises"),
    "expired_url": Fault(_SPEECH, "the file's address has expired already"),
    # in the middle; "after" counts the pieces of sound that were sent before
    "stream_error": Fault(_STREAMS, "an error inside the stream", {"after": 0, **_ANY_REFUSAL}),
    "cut": Fault(_STREAMS, "the connection drops", {"after": 1}),
    "end_early": Fault(_STREAMS, "the stream ends cleanly, without its last message", {"after": 1}),
    "stall_mid": Fault(_STREAMS, "nothing more comes", {"after": 1}),
    # the socket's own
    "close_at_once": Fault(
        frozenset(["realtime"]), "closes without a word", {"code": 1007, "reason": "Model not found"}
    ),
    "silent_close": Fault(frozenset(["realtime"]), "session.created, then closes without a reason"),
    "error_after_finish": Fault(
        frozenset(["realtime"]), "an error instead of session.finished", {"close": True, **_ANY_REFUSAL}
    ),
    "no_finished": Fault(frozenset(["realtime"]), "closes after the last sound, without session.finished"),
    # switches
    "no_total_count": Fault(frozenset(["list"]), "no total_count, as on the page", switch=True),
    "page_size_capped": Fault(frozenset(["list"]), "no page is longer", {"limit": 100, "echo": True}, switch=True),
    "voice_made": Fault(frozenset(["list"]), "a voice is made right after this page", switch=True),
    "voice_deleted": Fault(frozenset(["list"]), "the newest voice is deleted right after this page", switch=True),
    "bare_delete": Fault(frozenset(["delete"]), "no output, as on the page", switch=True),
    "fallback": Fault(frozenset(["create"]), "made by a degraded way", {"reason": "no_merged_segments"}, switch=True),
    "bare_pcm": Fault(frozenset(["sse"]), "no RIFF header before the first piece", switch=True),
    "odd_chunks": Fault(_STREAMS, "pieces of an odd number of bytes", switch=True),
    "audio_done_first": Fault(frozenset(["realtime"]), "response.audio.done before the other two", switch=True),
    "many_responses": Fault(frozenset(["realtime"]), "a response for every few words", switch=True),
    "unknown_event": Fault(frozenset(["realtime"]), "an event of a kind that nobody documents", switch=True),
}


@dataclass
class Rule:
    """When a fault is due.

    Parameters
    ----------
    operation : str
        One of `OPERATIONS`, or "any": all that the fault applies to.
    name : str
        One of `FAULTS`.
    parameters : dict
        Of the fault.
    times : int or None
        How often it strikes; None: for ever.
    skip : int
        How many requests pass before.
    probability : float
        Of striking a request that it is due for.
    seed : int
        Makes the probability repeatable.
    """

    operation: str
    name: str
    parameters: dict[str, Any]
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def matches(self, operation: str) -> bool:
        """Say whether it can strike this operation and still has strikes left."""
        return self.times != 0 and operation in FAULTS[self.name].operations and self.operation in (operation, "any")

    def strikes(self) -> bool:
        """Count one request that it is due for; say whether it strikes."""
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.probability < 1.0 and self._random.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def shown(self) -> dict[str, Any]:
        """Write it as it was asked for, with what is left of it."""
        counts = {"times": self.times, "skip": self.skip, "probability": self.probability, "seed": self.seed}
        return {"operation": self.operation, "fault": self.name, **self.parameters, **counts}


def parse_rule(asked: Any) -> Rule:
    """Read a rule.

    Parameters
    ----------
    asked : mapping
        ``operation``, ``fault``, the fault's parameters, ``times``, ``skip``, ``probability``, ``seed``.
        ``times`` not given is 1 for a fault and for ever for a switch.

    Raises
    ------
    ValueError
        If there is no such fault, operation or parameter, or a count cannot be.
    """
    if not isinstance(asked, Mapping):
        raise ValueError("a rule is an object")
    name, operation = str(asked.get("fault")), str(asked.get("operation", "any"))
    if name not in FAULTS:
        raise ValueError(f"there is no fault {name!r}; there are {', '.join(sorted(FAULTS))}")
    fault = FAULTS[name]
    if operation not in ("any", *fault.operations):
        raise ValueError(f"{name!r} happens to {', '.join(sorted(fault.operations))}, not to {operation!r}")
    strange = set(asked) - {"fault", "operation", "times", "skip", "probability", "seed"} - set(fault.parameters)
    if strange:
        raise ValueError(f"{name!r} has no parameter {', '.join(sorted(map(str, strange)))}")
    times, skip = asked.get("times", None if fault.switch else 1), asked.get("skip", 0)
    probability, seed = asked.get("probability", 1.0), asked.get("seed", 0)
    if type(skip) is not int or type(seed) is not int or not (times is None or type(times) is int):
        raise ValueError("times, skip and seed are whole numbers")
    if not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise ValueError("a probability is a number from 0 to 1")
    if skip < 0 or (times is not None and times < 0):
        raise ValueError("times and skip are not negative")
    parameters = {key: asked.get(key, default) for key, default in fault.parameters.items()}
    for key, value in parameters.items():
        fits = _VALUES["close_code" if (name, key) == ("close_at_once", "code") else key]
        if value is not fault.parameters[key] and not fits(value):
            raise ValueError(f"{key} of {name!r} cannot be {value!r:.100}")
    return Rule(operation, name, parameters, times=times, skip=skip, probability=probability, seed=seed)


class Drawn(dict[str, dict[str, Any]]):
    """What one request was dealt: names and parameters; at most one of them is a fault."""

    def refusal(self, name: str) -> tuple[int, str, str]:
        """Fill in the status and message of an error that was asked for by its code."""
        asked = self[name]
        status, code, message = of_code(str(asked["code"]), asked.get("status"))
        return asked.get("status") or status, code, message if asked.get("message") is None else asked["message"]


class Faults:
    """The rules that are due, and what was asked of the service so far."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self.requests: Counter[str] = Counter()

    def add(self, rules: list[Rule]) -> None:
        """Put rules behind those that are there."""
        self._rules += rules

    def clear(self) -> None:
        """Forget every rule and every count."""
        self._rules.clear()
        self.requests.clear()

    def pending(self) -> list[Rule]:
        """List the rules that have strikes left."""
        return [rule for rule in self._rules if rule.times != 0]

    def draw(self, operation: str) -> Drawn:
        """Count a request and deal it what is due.

        Parameters
        ----------
        operation : str
            One of `OPERATIONS`.
        """
        self.requests[operation] += 1
        drawn = Drawn()
        struck = False
        for rule in self._rules:
            switch = FAULTS[rule.name].switch
            if rule.matches(operation) and (switch or not struck) and rule.strikes():
                drawn[rule.name] = rule.parameters
                struck = struck or not switch
        return drawn
