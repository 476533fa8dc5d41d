"""The whole journey without a browser: check, repair, enroll, list, speak three ways, compare."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vcnb.audio.clip import Clip, Speech
from vcnb.audio.encode import save, wav_bytes
from vcnb.audio.load import load
from vcnb.audio.resample import resample
from vcnb.audio.samples import Sample, samples_described
from vcnb.compare.comparison import Comparison, compare
from vcnb.diagnose.report import diagnose
from vcnb.errors import ClipError
from vcnb.measure.activity import speech_segments
from vcnb.protocol.voice import Voice
from vcnb.repair.repair import repair

from .account import Account
from .connecting import connect

__all__ = ["Demo", "Step"]

HTTP, REALTIME = "qwen3-tts-vc-2026-01-22", "qwen3-tts-vc-realtime-2026-01-15"
SPEND_LIMIT = 0.10  # US dollars, ours: three voices at $0.01 and a few hundred characters are $0.035
LOW_RATE = 16_000  # Hz; what a telephone or a headset gives, and the service refuses
# What the three ways of speaking say; our own words.
TEXTS = {
    "http": "Good morning. The train to the coast leaves at nine from the second platform.",
    "sse": "Please open the window a little. I would like to hear the rain on the roof.",
    "realtime": "This is a live line. Every word is spoken while the next one is still on its way.",
}
# Ours: read English has 12 to 18 characters a second; hurried and slow voices lie within these.
SECONDS_PER_CHARACTER = (0.03, 0.16)
SHARE_OF_SPEECH = 0.5  # ours: a sentence is mostly speech; noise, a tone or silence is none at all
SEMITONES = 2.0  # ours: the two speakers lie 3.9 apart, so each speech must be nearer to its own


@dataclass(frozen=True)
class Step:
    """A step of the journey and what it showed.

    Parameters
    ----------
    name : str
        One word.
    held : bool
        Whether what was measured is what it must be.
    figures : str
        What was measured, for people.
    facts : dict
        The same as data.
    """

    name: str
    held: bool
    figures: str
    facts: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, ready for JSON."""
        return asdict(self)


class Demo:
    """The journey, once.

    Parameters
    ----------
    out : Path
        Where sound, table and report go; made where it is missing.
    region, base_url, data
        As for :func:`vcnb.connect`; the practice service unless another one is named.
    """

    def __init__(
        self,
        out: Path,
        *,
        region: str | None = "practice",
        base_url: str | None = None,
        data: str | os.PathLike[str] | None = None,
    ) -> None:
        self.out = out
        self.report = out / "report.html"
        self._where: dict[str, Any] = {"region": region, "base_url": base_url, "data": data}
        described = samples_described()
        self._samples: dict[str, Sample] = described
        self._clips: dict[str, Clip] = {}
        self._voices: dict[str, Voice] = {}
        self._speeches: dict[str, Speech] = {}
        self._comparison: Comparison | None = None

    def run(self, show: Callable[[Step], None]) -> list[Step]:
        """Take all steps.

        Parameters
        ----------
        show : callable
            Told of each step as soon as it is done.

        Returns
        -------
        list of Step

        Raises
        ------
        ClipError
            If the folder cannot be written.
        VcnbError
            What stopped the journey.
        """
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ClipError(f"{self.out} cannot be written: {error.strerror}.", remedy="choose another --out") from None
        steps = []
        for step in self._steps():
            steps.append(step)
            show(step)
        return steps

    def _steps(self) -> Iterator[Step]:
        yield self._check()
        yield self._repair()
        with connect(**self._where, spend_limit=SPEND_LIMIT) as account:
            yield from self._enroll(account)
            yield self._list(account)
            for transport, speaker, model in (
                ("http", "thorsten", HTTP),
                ("sse", "kathleen", HTTP),
                ("realtime", "thorsten", REALTIME),
            ):
                yield self._speak(account, transport, self._voices[f"{speaker} {model}"], speaker)
            if account.region == "practice":
                yield self._tidy(account)
        yield self._compare()
        yield self._write()

    def _check(self) -> Step:
        """Check three recordings in the three formats that the service takes."""
        facts: dict[str, dict[str, Any]] = {}
        for name, sample in self._samples.items():
            clip = load(sample.path)
            self._clips[name] = clip
            report = diagnose(clip, language=sample.language, transcript=sample.transcript)
            held = not report.hard_failures
            wanting = [f"{each.verdict} {each.check}" for each in report.findings if each.verdict in ("warn", "fail")]
            facts[name] = {"wanting": wanting, "meets_hard_rules": held, "duration": clip.duration}
        found = ", ".join(f"{name} {' and '.join(fact['wanting']) or 'passes'}" for name, fact in facts.items())
        n_refused = sum(not fact["meets_hard_rules"] for fact in facts.values())
        return Step("check", not n_refused, f"{n_refused} of {len(facts)} would be refused; {found}", facts)

    def _repair(self) -> Step:
        """Mend a copy that the service would refuse."""
        clip = self._clips["kathleen_en"]
        low = resample(clip.samples, clip.sample_rate, LOW_RATE)
        before = load(wav_bytes(low, LOW_RATE), name="a copy at 16 kHz")
        refused = [finding.check for finding in diagnose(before).hard_failures]
        after = repair(before)
        left = [finding.check for finding in diagnose(after).hard_failures]
        save(after, self.out / "repaired.wav")
        edits = [f"{edit.name}: {edit.change.rstrip('.')}" for edit in after.edits]
        figures = (
            f"a copy at {LOW_RATE} Hz fails {', '.join(refused)}; "
            f"repaired ({'; '.join(edits)}) it fails {len(left) or 'nothing'}"
        )
        facts = {"failed_before": refused, "failed_after": left, "edits": edits}
        return Step("repair", bool(refused) and not left and bool(edits), figures, facts)

    def _enroll(self, account: Account) -> Iterator[Step]:
        """Make the voices: a voice serves one model, so the same recording is enrolled for HTTP and for realtime."""
        for speaker, model in (("thorsten", HTTP), ("thorsten", REALTIME), ("kathleen", HTTP)):
            name = f"{speaker}_en"
            sample = self._samples[name]
            voice = account.enroll(
                sample.path,
                preferred_name=f"demo_{speaker}",
                consent=f"{sample.speaker} gave this recording to everybody ({sample.licence})",
                target_model=model,
                transcript=sample.transcript,
                language=sample.language,
            )
            known = {made.voice for made in self._voices.values()}
            self._voices[f"{speaker} {model}"] = voice
            held = voice.target_model == model and voice.voice not in known
            yield Step(
                "enroll", held, f"{voice.voice} for {voice.target_model}", {"voice": voice.voice, "model": model}
            )

    def _list(self, account: Account) -> Step:
        table = account.voices()
        models = dict(zip(table["voice"], table["target_model"], strict=True))
        held = all(models.get(made.voice) == made.target_model for made in self._voices.values())
        there = account.list_voices()
        figures = f"{len(there)} voices in region {account.region}, {len(self._voices)} of them new"
        return Step("list", held, figures, {"voices": len(there), "region": account.region})

    def _speak(self, account: Account, transport: str, voice: Voice, speaker: str) -> Step:
        text = TEXTS[transport]
        if transport == "http":
            speech = account.speak(text, voice=voice, transport=transport, language="en")
        else:
            with account.stream(text, voice=voice, transport=transport, language="en") as pieces:
                for _ in pieces:
                    pass
                speech = pieces.speech
        speech = replace(speech, name=f"{speaker} over {transport}")
        self._speeches[transport] = speech
        save(speech, self.out / f"{transport}.wav")
        spoken = sum(segment.duration for segment in speech_segments(speech.samples, speech.sample_rate))
        pace = speech.duration / len(text)
        held = (
            SECONDS_PER_CHARACTER[0] <= pace <= SECONDS_PER_CHARACTER[1]
            and spoken >= SHARE_OF_SPEECH * speech.duration
            and speech.transport == transport
        )
        delay = speech.first_audio_delay
        first = "it came whole" if delay is None else f"first sound after {delay:.2f} s"
        figures = f"{speech.name}: {speech.duration:.2f} s, {spoken:.2f} s of it speech, {first}"
        facts = {"transport": transport, "duration": speech.duration, "speech": spoken, "first_audio_delay": delay}
        return Step("speak", held, figures, {**facts, "characters": speech.characters, "cost": speech.cost})

    def _tidy(self, account: Account) -> Step:
        """Give the places back; on a paid region what was paid for is kept."""
        deleted = account.delete(list(self._voices.values()))
        left = {voice.voice for voice in account.list_voices()}
        figures = f"{len(deleted)} voices deleted again, {len(left)} in the account"
        return Step(
            "tidy", len(deleted) == len(self._voices) and not left & set(deleted), figures, {"deleted": deleted}
        )

    def _compare(self) -> Step:
        """Compare what was spoken with who was recorded: each speech must lie near its own speaker's pitch."""
        references = {speaker: self._clips[f"{speaker}_en"] for speaker in ("thorsten", "kathleen")}
        named = [replace(clip, name=f"{speaker} recorded") for speaker, clip in references.items()]
        self._comparison = compare([*named, *self._speeches.values()])
        f0 = {
            item: values["f0_median"]
            for item, values in zip(self._comparison.items, self._comparison.measures, strict=True)
        }

        def distance(spoken: str, speaker: str) -> float:
            found, wanted = f0[spoken], f0[f"{speaker} recorded"]
            return 12 * math.log2(found / wanted) if found > 0 and wanted > 0 else math.nan

        off, held = {}, True
        for speech in self._speeches.values():
            own, other = sorted(references, key=lambda speaker: speaker not in speech.name)
            off[speech.name] = distance(speech.name, own)
            near = abs(off[speech.name])
            held &= near <= SEMITONES and near < abs(distance(speech.name, other))
        figures = ", ".join(f"{name} {f0[name]:.0f} Hz ({value:+.1f} semitones)" for name, value in off.items())
        return Step("compare", held, figures, {"f0_hz": f0, "semitones_off": off})

    def _write(self) -> Step:
        """Write the table and the page, and look that every file is there."""
        comparison = self._comparison
        if comparison is None:
            raise ClipError("There is nothing to write.", remedy="compare first")
        comparison.to_frame().to_csv(self.out / "table.csv", index=False)
        for speaker in ("thorsten", "kathleen"):
            save(self._clips[f"{speaker}_en"], self.out / f"{speaker}-recorded.wav")
        comparison.report(self.report, title="From two recordings to voices that speak")
        files = sorted(path.name for path in self.out.iterdir() if path.is_file())
        wanted = {"table.csv", "report.html", "thorsten-recorded.wav", "kathleen-recorded.wav"}
        wanted |= {f"{transport}.wav" for transport in self._speeches}
        return Step("write", wanted <= set(files), f"{len(wanted)} files in {self.out}", {"files": sorted(wanted)})
