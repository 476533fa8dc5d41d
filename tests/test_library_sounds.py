"""A sound is kept byte for byte under the name of its content."""

from __future__ import annotations

import hashlib

import pytest

from vcnb.errors import LibraryError
from vcnb.library.sounds import drop_sound, keep_sound, read_sound, sound_path


def test_bytes_come_back_as_they_were_and_are_kept_once(tmp_path):
    data = bytes(range(256)) * 99
    assert keep_sound(tmp_path, data) == keep_sound(tmp_path, data) == hashlib.sha256(data).hexdigest()
    assert read_sound(tmp_path, hashlib.sha256(data).hexdigest()) == data
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_sound_that_changed_on_the_disk_is_never_handed_out(tmp_path):
    name = keep_sound(tmp_path, b"the speaker's own words")
    path = sound_path(tmp_path, name)
    path.write_bytes(path.read_bytes().replace(b"own", b"oWn"))
    with pytest.raises(LibraryError, match="not what it was"):
        read_sound(tmp_path, name)
    path.write_bytes(b"cut sho")  # as by a full disk: keeping it again mends it
    keep_sound(tmp_path, b"the speaker's own words")
    assert read_sound(tmp_path, name) == b"the speaker's own words"


def test_a_sound_that_is_gone_is_said_so(tmp_path):
    name = keep_sound(tmp_path, b"soon gone")
    drop_sound(tmp_path, name)
    drop_sound(tmp_path, name)
    with pytest.raises(LibraryError, match="cannot be read"):
        read_sound(tmp_path, name)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63 + "/", "0" * 65])
def test_a_name_that_is_no_digest_leads_nowhere(tmp_path, name):
    for use in (read_sound, drop_sound):
        with pytest.raises(LibraryError, match="no digest"):
            use(tmp_path, name)


def test_what_cannot_be_written_is_said_so(tmp_path):
    (tmp_path / "sounds").write_text("a file where the folder should be")
    with pytest.raises(LibraryError, match="cannot be kept") as caught:
        keep_sound(tmp_path, b"sound")
    assert "data=" in caught.value.remedy
