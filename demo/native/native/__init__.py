"""A checksum in C."""

from ctypes import CDLL, c_size_t, c_uint32
from pathlib import Path

_library = CDLL(str(Path(__file__).parent / "libadler.so"))
_library.adler32.restype = c_uint32


def adler32(data: bytes) -> int:
    """The checksum of some bytes."""
    return _library.adler32(data, c_size_t(len(data)))
