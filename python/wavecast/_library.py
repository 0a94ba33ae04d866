# SPDX-License-Identifier: Apache-2.0
"""The opened library, and how its errors become exceptions."""
import ctypes.util
import os
from typing import Any, Callable

from wavecast._abi import ffi


class WavecastError(Exception):
    """What the library refused, in its own words: what is wrong, where, and what is allowed.

    ``status`` is the library's word for the kind of error, such as "not-found".
    """

    def __init__(self, status: str, text: str):
        super().__init__(text)
        self.status = status


def _open() -> Any:
    names = [os.environ.get("WAVECAST_LIBRARY"), ctypes.util.find_library("wavecast"),
             "libwavecast.so.0"]
    problems = []
    for name in filter(None, names):
        try:
            return ffi.dlopen(name)
        except OSError as error:
            problems.append(str(error))
    raise ImportError("libwavecast was not found; install it, or name the file in "
                      "WAVECAST_LIBRARY: " + "; ".join(problems))


lib = _open()


def text(pointer: Any) -> "str | None":
    """A C string, or None for NULL."""
    return None if pointer == ffi.NULL else ffi.string(pointer).decode()


def version() -> str:
    """The library's version."""
    found = text(lib.wavecast_version_get())
    assert found is not None
    return found


if version().split(".")[:2] != [str(lib.WAVECAST_ABI_MAJOR), str(lib.WAVECAST_ABI_MINOR)]:
    raise ImportError(f"this module was made for wavecast {lib.WAVECAST_ABI_MAJOR}."
                      f"{lib.WAVECAST_ABI_MINOR}, the library is {version()}; install the module "
                      "again")


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Calls a function of the library; an error becomes an exception."""
    error = ffi.new("struct wavecast_error *")
    status = function(*arguments, error)
    if status == lib.WAVECAST_OK:
        return
    if status == lib.WAVECAST_ERROR_NO_MEMORY:
        raise MemoryError("wavecast: out of memory")
    buffer = ffi.new("char[]", 1024)
    lib.wavecast_error_format(error, buffer, len(buffer))
    raise WavecastError(text(lib.wavecast_status_name(status)) or "unknown", text(buffer) or "")


def owned(function: Callable[..., int], type_name: str, release: Callable[[Any], None],
          *arguments: Any) -> Any:
    """Calls a function that makes an object (last output parameter); freed with the result."""
    out = ffi.new(type_name + " **")
    call(function, *arguments, out)
    return ffi.gc(out[0], release)
