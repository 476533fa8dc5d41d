"""The shipped recordings are what their page says."""

from __future__ import annotations

import hashlib
import tomllib

import vcnb
from vcnb.audio.samples import samples_described
from vcnb.catalog import LANGUAGES


def test_three_real_recordings_in_the_three_formats_that_the_service_takes():
    containers = {name: vcnb.load(path).source.container for name, path in vcnb.samples().items()}
    assert containers == {"thorsten_en": "mp4", "thorsten_de": "mp3", "kathleen_en": "wav"}
    assert not any(vcnb.diagnose(path).hard_failures for path in vcnb.samples().values())


def test_they_are_small_unchanged_and_described():
    folder = next(iter(vcnb.samples().values())).parent
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1.5e6
    page = tomllib.loads((folder / "samples.toml").read_text(encoding="utf-8"))
    notice = (folder / "NOTICE.txt").read_text(encoding="utf-8")
    for name, sample in samples_described().items():
        assert hashlib.sha256(sample.path.read_bytes()).hexdigest() == page[name]["sha256"]
        assert sample.path.name in notice
        assert sample.language in LANGUAGES
        assert len(sample.transcript.split()) > 30
        assert sample.licence in ("MIT", "CC0-1.0")
