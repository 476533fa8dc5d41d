"""What the service's recording guide advises.

Source: the page, "Recording guide"; in words of our own, each piece under the heading that it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Advice", "GUIDE", "Topic"]

Topic = Literal["device", "room", "noise", "reverberation", "script", "posture"]


@dataclass(frozen=True)
class Advice:
    """One piece of advice.

    Parameters
    ----------
    topic : {"device", "room", "noise", "reverberation", "script", "posture"}
        What it is about.
    text : str
        One sentence: what to do.
    heading : str
        The heading of the page under which it stands.
    """

    topic: Topic
    text: str
    heading: str


GUIDE: dict[str, Advice] = {
    "microphone": Advice(
        "device",
        "Use a microphone that suppresses noise, or a phone held close, in a quiet place.",
        "Recording device",
    ),
    "small_room": Advice(
        "room", "Record in a small closed room, of ten square metres at the most.", "Recording environment: Location"
    ),
    "soft_room": Advice(
        "room",
        "Choose a room with carpets, curtains or foam that swallow sound.",
        "Recording environment: Location",
    ),
    "no_halls": Advice("room", "Stay out of halls, meeting rooms and classrooms.", "Recording environment: Location"),
    "outdoor_noise": Advice(
        "noise", "Shut windows and doors against traffic and building work.", "Noise control: Outdoor noise"
    ),
    "indoor_noise": Advice(
        "noise",
        "Switch off air conditioning, fans, fluorescent lamps and other appliances.",
        "Noise control: Indoor noise",
    ),
    "listen_first": Advice(
        "noise",
        "Record the empty room and play it back loud: it tells you what hums and hisses.",
        "Noise control: Indoor noise",
    ),
    "smooth_surfaces": Advice(
        "reverberation",
        "Draw the curtains, open the wardrobe and lay cloth over tables, so that smooth surfaces reflect less.",
        "Reverberation control",
    ),
    "irregular_objects": Advice(
        "reverberation",
        "Bookshelves and upholstered furniture scatter sound: record near them.",
        "Reverberation control",
    ),
    "fitting_script": Advice(
        "script",
        "Read something like what the voice shall say later, and nothing political, sexual or violent: it is refused.",
        "Script",
    ),
    "whole_sentences": Advice("script", "Read whole sentences, not single words.", "Script"),
    "keep_going": Advice(
        "script",
        "Read one text that hangs together, with few pauses, and at least three seconds without a break.",
        "Script",
    ),
    "natural": Advice("script", "Give it the mood you want, but speak naturally and do not act.", "Script"),
    "distance": Advice(
        "posture",
        "Keep about ten centimetres from the microphone: nearer it pops, further away the voice is weak.",
        "Operational tips",
    ),
    "rehearse": Advice(
        "posture", "Read the text through before you record, so that you can speak it freely.", "Operational tips"
    ),
}
