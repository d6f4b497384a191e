"""Holds every #include in src/ against the table `layers` in meson.build: who may call whom, and who may use which library."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# The header of a library -> its name in the table's third column.
LIBRARY_OF = {
    "jansson.h": "jansson",
    "pthread.h": "thread",
    "math.h": "m",
    "argon2.h": "argon2",
    "crypt.h": "crypt",
    "sqlite3.h": "sqlite",
    "microhttpd.h": "mhd",
    "yaml.h": "yaml",
    "zlib.h": "z",
}
LIBRARY_FOLDERS = {"openssl": "crypto", "curl": "curl", "gnutls": "gnutls", "libpq-fe.h": "pq"}
# jansson's types stand in base's headers; threads and mathematics are the C library's.
EVERYBODYS = {"jansson", "thread", "m"}
# Folders that hold no C of a layer of their own in the table.
EXTRA = {"console": {"base", "console"}}


def table():
    text = (ROOT / "meson.build").read_text()
    body = text[text.index("layers = [") :]
    body = body[: body.index("\n]")]
    rows = re.findall(r"\['(\w+)',\s*\[([^\]]*)\],\s*\[([^\]]*)\]\]", body)
    words = lambda s: set(re.findall(r"'([\w.-]+)'", s))
    return {name: (words(calls), words(libs)) for name, calls, libs in rows}


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if found:
            yield number, found.group(1) == '"', found.group(2)


LAYERS = table()
FILES = sorted(p for ext in ("c", "h", "def") for p in (ROOT / "src").glob(f"*/**/*.{ext}"))


def layer_of(path):
    return path.relative_to(ROOT / "src").parts[0]


def may_call(layer):
    if layer in LAYERS:
        return LAYERS[layer][0] | {layer}
    return EXTRA[layer]


def library_of(header):
    return LIBRARY_OF.get(header) or LIBRARY_FOLDERS.get(header.split("/")[0])


def test_table_is_read():
    assert {"base", "crypto", "store", "app"} <= set(LAYERS)
    assert LAYERS["base"][0] == set()


def test_table_has_no_circle():
    done = set()
    for name, (calls, _) in LAYERS.items():
        assert calls <= done | set(EXTRA), f"{name} may call {calls - done}, which stands below it in the table"
        done.add(name)


def test_every_folder_is_a_layer():
    assert {layer_of(p) for p in FILES} <= set(LAYERS) | set(EXTRA)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_includes(path):
    layer = layer_of(path)
    libraries = EVERYBODYS | LAYERS.get(layer, (set(), set()))[1]
    wrong = []
    for number, ours, header in includes(path):
        if ours:
            fine = (header.split("/")[0] if "/" in header else layer) in may_call(layer)
        else:
            fine = (library_of(header) or "jansson") in libraries
        if not fine:
            wrong.append(f"line {number}: {header}")
    assert not wrong, f"{path.relative_to(ROOT)}: {layer} may not include " + ", ".join(wrong)


def test_crypto_libraries_are_included_by_crypto_alone():
    users = {layer_of(p) for p in FILES for _, ours, h in includes(p) if not ours and h.startswith("openssl/")}
    assert users <= {"crypto"}


def test_sql_stands_in_the_store_alone():
    sql = re.compile(r'"\s*(SELECT\s.+\sFROM\s|INSERT\s+INTO\s|UPDATE\s\w+\sSET\s|DELETE\s+FROM\s)')
    assert not [str(p.relative_to(ROOT)) for p in FILES if layer_of(p) != "store" and sql.search(p.read_text())]
