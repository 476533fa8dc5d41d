"""What the speech network is made of, for a front end that runs it itself.

The coach of the recorder hears in the browser what `speech` hears here, while the kernel is busy: the same network, its
numbers sent once.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources

from .speech import MODEL

__all__ = ["network_weights"]

# Names in the file, in the order in which they travel. Its Fourier basis stays: a window and an FFT do the same.
ORDER = (
    *(f"encoder.{layer}.{part}" for layer in range(4) for part in ("weight", "bias")),
    *(f"onnx::LSTM_{number}" for number in (209, 210, 211)),
    "output.weight",
    "output.bias",
)
# Field numbers of ONNX's protobuf messages: ModelProto.graph, GraphProto.initializer, TensorProto.name and .raw_data.
GRAPH, INITIALIZER, NAME, RAW = 7, 5, 8, 9


@cache
def network_weights() -> bytes:
    """Read the numbers of the speech activity network.

    Returns
    -------
    bytes
        Little-endian float32: four convolutions (weights, then biases), the LSTM (input, recurrence, both biases; gates
        in the order input, output, forget, cell), the output (weights, bias). About 1 MB.
    """
    model = resources.files("vcnb").joinpath("data", "models", MODEL).read_bytes()
    (graph,) = (value for number, value in _fields(memoryview(model)) if number == GRAPH)
    tensors = [dict(_fields(value)) for number, value in _fields(graph) if number == INITIALIZER]
    named = {bytes(tensor[NAME]).decode(): bytes(tensor[RAW]) for tensor in tensors if RAW in tensor}
    return b"".join(named[name] for name in ORDER)


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Walk over a protobuf message and give its fields of bytes; the others are passed over."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 0:
            _, at = _varint(message, at)
        elif kind == 2:
            size, at = _varint(message, at)
            yield key >> 3, message[at : at + size]
            at += size
        else:
            at += {1: 8, 5: 4}[kind]


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
