"""The tiles that stand in for AMX's multiply as its manual says, and refuse what faults there."""

from __future__ import annotations

import ctypes
import platform
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from native_builds import compiler
from tests.encoder.backends.native.driver import FOLDER

pytestmark = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="for Linux x86_64"
)
SOURCE = """
#include <stdlib.h>
static void configure(int rows, int columns, int inner) {
  struct { uint8_t palette, start, reserved[14]; uint16_t bytes[16]; uint8_t rows[16]; } shapes =
      {.palette = 1, .bytes = {4 * columns, 4 * inner, 4 * columns}, .rows = {rows, inner, inner}};
  shapes.rows[1] = rows;
  _tile_loadconfig(&shapes);
}
void product(int kind, int rows, int columns, int inner, const void *a, const void *b, void *sums) {
  configure(rows, columns, inner);
  _tile_loadd(0, sums, 4 * columns);
  _tile_loadd(1, a, 4 * inner);
  _tile_loadd(2, b, 4 * columns);
  switch (kind) {
    case 0: _tile_dpbuud(0, 1, 2); break;
    case 1: _tile_dpbusd(0, 1, 2); break;
    case 2: _tile_dpbsud(0, 1, 2); break;
    default: _tile_dpbssd(0, 1, 2);
  }
  _tile_stored(0, sums, 4 * columns);
  _tile_release();
}
int main(int n_arguments, char **arguments) {
  const int what = n_arguments > 1 ? atoi(arguments[1]) : 0;
  if (what == 1) _tile_zero(0);                        /* before the configuration */
  configure(2, 3, 4);
  if (what == 2) _tile_zero(5);                        /* a tile without rows */
  if (what == 3) _tile_dpbsud(0, 2, 1);                /* that do not fit */
  if (what == 4) _tile_dpbsud(0, 1, 1);                /* the same tile twice */
  if (what == 5) configure(17, 3, 4);                  /* too many rows */
  if (what == 6) { _tile_release(); _tile_zero(0); }   /* after they are gone */
  _tile_zero(0);
  return 0;
}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the folder of a library, tiles.so, and of a program, tiles."""
    pytest.importorskip("ziglang", reason="compiled with ziglang, of the group dev")
    folder = tmp_path_factory.mktemp("tiles")
    (folder / "tiles.c").write_text(SOURCE)
    command = [*compiler("x86_64-linux-gnu.2.17", "x86_64"), "-O2", "-Wall", "-Wextra", "-Werror"]
    command += [f"-I{FOLDER}", "-include", "tiles.h", "tiles.c"]
    subprocess.run([*command, "-o", "tiles"], cwd=folder, check=True)
    subprocess.run([*command, "-shared", "-fPIC", "-o", "tiles.so"], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize(("kind", "left", "right"), [
    (0, np.uint8, np.uint8), (1, np.uint8, np.int8), (2, np.int8, np.uint8), (3, np.int8, np.int8)
])  # fmt: skip
@pytest.mark.parametrize(("rows", "columns", "inner"), [(1, 1, 1), (3, 5, 7), (16, 16, 16)])
def test_a_product_is_that_of_its_bytes(
    built: Path, kind: int, left: Any, right: Any, rows: int, columns: int, inner: int
) -> None:
    random = np.random.default_rng(1)
    a = random.integers(0, 256, (rows, 4 * inner), dtype=np.uint8).view(left)
    b = random.integers(0, 256, (4 * inner, columns), dtype=np.uint8).view(right)
    sums = random.integers(-9, 9, (rows, columns), dtype=np.int32)
    expected = sums + a.astype(np.int32) @ b.astype(np.int32)
    # Four bytes of a column lie side by side.
    packed = np.ascontiguousarray(b.reshape(inner, 4, columns).transpose(0, 2, 1))
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (a, packed, sums)]
    ctypes.CDLL(str(built / "tiles.so")).product(kind, rows, columns, inner, *pointers)
    assert (sums == expected).all()


def test_right_use_passes(built: Path) -> None:
    subprocess.run([str(built / "tiles"), "0"], check=True)


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (1, "used before they are configured"),
        (2, "a tile without rows"),
        (3, "do not fit together"),
        (4, "needs three tiles"),
        (5, "at most 16 rows of 64 bytes"),
        (6, "used before they are configured"),
    ],
)
def test_what_faults_on_a_cpu_ends_the_program(built: Path, misuse: int, message: str) -> None:
    ended = subprocess.run(
        [str(built / "tiles"), str(misuse)], stderr=subprocess.PIPE, text=True, check=False
    )
    assert ended.returncode == -signal.SIGABRT
    assert message in ended.stderr
