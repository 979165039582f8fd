"""Compiles the C library into the wheel, once for each set of CPU instructions it knows.

Installing and `uv build` compile for the machine they run on. Elsewhere than on the platforms of
native_builds.py the wheel has no library and the package uses ONNX Runtime or torch.

    python hatch_build.py dist/             # the wheels of all platforms; needs hatchling, ziglang
    python hatch_build.py dist/ win_amd64   # of some
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# hatchling loads this file by its path.
sys.path.insert(0, str(Path(__file__).resolve().parent))
from native_builds import FOLDER, PLATFORMS, ROOT, check_wheel, compile_platform, host_platform

# The platform of the wheel in the making, if it is not this machine's; set by `build_wheels`.
PLATFORM_VARIABLE = "RASA_TOKPRUNE_PLATFORM"


class NativeBuildHook(BuildHookInterface):
    """Adds the compiled libraries to the wheel, or to the source tree of an editable install."""

    def initialize(self, version: str, build_data: Dict[str, Any]) -> None:
        """Compiles; called by hatchling before it collects files."""
        asked = os.environ.get(PLATFORM_VARIABLE)
        tag = asked or host_platform()
        if self.target_name != "wheel" or tag is None:
            return
        self._scratch = tempfile.TemporaryDirectory()
        is_editable = version == "editable"
        folder = ROOT / FOLDER if is_editable else Path(self._scratch.name)
        try:
            names = compile_platform(PLATFORMS[tag], folder, self.app.display_info)
        except (OSError, subprocess.CalledProcessError) as error:
            if asked:
                raise
            self.app.display_warning(f"the C library is left out, it cannot be compiled: {error}")
            return
        if not is_editable:
            included = {str(folder / name): (FOLDER / name).as_posix() for name in names}
            build_data["force_include"].update(included)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{tag}"

    def finalize(self, version: str, build_data: Dict[str, Any], artifact_path: str) -> None:
        """Removes what `initialize` compiled beside the source tree."""
        scratch = getattr(self, "_scratch", None)
        if scratch is not None:
            scratch.cleanup()


def build_wheels(folder: Path, tags: List[str]) -> None:
    """Builds and checks the wheels of some platforms, saying how far it is."""
    from hatchling.builders.wheel import WheelBuilder

    for number, tag in enumerate(tags, 1):
        os.environ[PLATFORM_VARIABLE] = tag
        built = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
        path = Path(next(iter(built)))
        n_libraries, kilobytes = check_wheel(path, tag), path.stat().st_size / 1000
        print(f"{number}/{len(tags)} {path.name}: {n_libraries} libraries, {kilobytes:.0f} kB")


if __name__ == "__main__":
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(PLATFORMS):
        sys.exit(f"usage: python hatch_build.py FOLDER [{' | '.join(PLATFORMS)}] ...")
    build_wheels(Path(sys.argv[1]), sys.argv[2:] or list(PLATFORMS))
