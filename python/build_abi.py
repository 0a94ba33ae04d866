# SPDX-License-Identifier: Apache-2.0
"""Makes wavecast/_abi.py from the library's own headers.

The declarations of the binding are those of the installed headers, so they
cannot drift from the library. Only what C compilers and cffi read differently
is taken out: comments, the preprocessor, and functions with a body.

The headers are found through pkg-config, or in $WAVECAST_INCLUDE. No compiler
is needed: the library is opened when the module is imported.
"""
import os
import re
import subprocess

import cffi

# In the order in which they need each other. units.h has only inline functions.
HEADERS = ("status", "gpu", "moe", "hwdb", "kernel", "routing", "predict", "regions",
           "measurement", "evaluate", "fit", "select", "whatif")


def include_directories() -> "list[str]":
    """Where wavecast/*.h lie."""
    given = os.environ.get("WAVECAST_INCLUDE")
    if given:
        return given.split(os.pathsep)
    try:
        found = subprocess.run(["pkg-config", "--variable=includedir", "wavecast"], check=True,
                               capture_output=True, text=True)
        return [found.stdout.strip()]
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit("wavecast's headers were not found: install the library, or name their "
                         "directory in WAVECAST_INCLUDE") from error


def declarations(header: str) -> str:
    """The declarations of a header as cffi reads them."""
    text = re.sub(r"/\*.*?\*/", " ", header, flags=re.DOTALL)
    text = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*$", "", text, flags=re.MULTILINE)
    # What is left of `#ifdef __cplusplus / extern "C" { / #endif ... }`.
    text, wrapped = re.subn(r'extern "C" \{', "", text)
    if wrapped:
        text = text[:text.rindex("}")]
    return text


def read_header(directories: "list[str]", name: str) -> str:
    for directory in directories:
        path = os.path.join(directory, "wavecast", name + ".h")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return file.read()
    raise SystemExit(f"wavecast/{name}.h is not in {os.pathsep.join(directories)}")


def read_headers(directories: "list[str]") -> str:
    """All declarations, and the version of the headers as constants."""
    texts = [declarations(read_header(directories, name)) for name in HEADERS]
    version = dict(re.findall(r"#define WAVECAST_VERSION_(MAJOR|MINOR)\s+(\d+)",
                              read_header(directories, "version")))
    texts.append("enum { WAVECAST_ABI_MAJOR = %(MAJOR)s, WAVECAST_ABI_MINOR = %(MINOR)s };"
                 % version)
    return "\n".join(texts)


ffibuilder = cffi.FFI()
ffibuilder.set_source("wavecast._abi", None)
ffibuilder.cdef(read_headers(include_directories()))

if __name__ == "__main__":
    ffibuilder.compile(verbose=True)
