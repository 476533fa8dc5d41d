"""How the shipped numbers of two networks are made again from their wheels.

Run ``pip download --no-deps silero-vad==6.2.3 Resemblyzer==0.1.4`` and then
``python -m vcnb.data.make_models WHEELS TARGET`` where WHEELS is the folder with the two wheels that
``models/NOTICE.txt`` names. Nothing is installed, and torch is not needed.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

__all__ = ["load_state", "main"]

SILERO = ("silero_vad-6.2.3-py3-none-any.whl", "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8")
RESEMBLYZER = ("Resemblyzer-0.1.4-py3-none-any.whl", "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f")
ITEM_TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


def main(wheels: Path, target: Path) -> None:
    """Write the speech activity model as it is, and the speaker encoder's weights in half precision.

    Parameters
    ----------
    wheels : pathlib.Path
        Folder with the two wheels.
    target : pathlib.Path
        Folder to write to.
    """
    target.mkdir(parents=True, exist_ok=True)
    with _wheel(wheels, *SILERO) as archive:
        model = archive.read("silero_vad/data/silero_vad_16k_sequence.onnx")
    (target / "silero_vad_16k_sequence.onnx").write_bytes(model)
    with _wheel(wheels, *RESEMBLYZER) as archive, archive.open("resemblyzer/pretrained.pt") as file:
        state = load_state(file)["model_state"]
    kept = {name: each.astype(np.float16) for name, each in state.items() if name.startswith(("lstm.", "linear."))}
    np.savez(target / "ge2e.npz", **kept)  # packed, it is 7 % smaller and takes three times as long to read


def load_state(file: IO[bytes]) -> dict[str, Any]:
    """Read what torch saved in its first format, without torch and without running what the file names.

    Parameters
    ----------
    file : binary file
        Three pickles of facts, one of the tree, one of the keys, then the numbers of each key.

    Returns
    -------
    dict
        The tree with its tensors as arrays.
    """
    for _ in range(3):
        pickle.load(file)  # noqa: S301 - the wheel's hash was compared
    reader = _Reader(file)
    tree: dict[str, Any] = reader.load()
    for key in pickle.load(file):  # noqa: S301
        n_items = int.from_bytes(file.read(8), "little")
        storage = reader.storages[key]
        storage.data = np.frombuffer(file.read(n_items * storage.dtype.itemsize), storage.dtype)
    return {name: _arrays(branch) for name, branch in tree.items()}


class _Storage:
    def __init__(self, kind: str) -> None:
        self.dtype = np.dtype(ITEM_TYPES[kind])
        self.data: npt.NDArray[Any] = np.zeros(0, self.dtype)


class _Tensor:
    def __init__(self, storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> None:
        self.storage, self.offset, self.shape, self.stride = storage, offset, shape, stride

    def array(self) -> npt.NDArray[Any]:
        size = self.storage.dtype.itemsize
        flat = self.storage.data[self.offset :]
        strided = np.lib.stride_tricks.as_strided(flat, self.shape, [step * size for step in self.stride])
        return strided.copy()


class _Reader(pickle.Unpickler):
    """Knows the few names that a file of weights needs, and refuses all others."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, stride, *_: _Tensor(storage, offset, shape, stride)
        if module == "torch" and name in ITEM_TYPES:
            return name
        raise pickle.UnpicklingError(f"{module}.{name} has no place among weights")

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, *_ = pid
        return self.storages.setdefault(key, _Storage(kind))


def _arrays(branch: Any) -> Any:
    if isinstance(branch, dict):
        return {name: _arrays(each) for name, each in branch.items()}
    return branch.array() if isinstance(branch, _Tensor) else branch


def _wheel(folder: Path, name: str, sha256: str) -> zipfile.ZipFile:
    path = folder / name
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise SystemExit(f"{path} is not the wheel that NOTICE.txt names")
    return zipfile.ZipFile(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
