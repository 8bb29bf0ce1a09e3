"""What builds a wheel: hatchling's backend, and the CPU kernels beside the package where a C++ compiler and jaxlib's headers are at hand.

Such a wheel is for the platform that it was made on and carries a library for each level of instructions, of which the processor's is taken
when a program wants one; without a compiler, or with THALWEG_KERNELS=off, the wheel is for all platforms. Editable installations
have their kernels made when they are first wanted.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
import tempfile
from pathlib import Path

from hatchling import build as plainly
from hatchling.build import *  # noqa: F403  -- a backend is a module with these functions
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parents[1]


def _building():
    """How the kernels are made, without the package around it."""
    path = ROOT / "thalweg" / "_src" / "kernels" / "building.py"
    spec = importlib.util.spec_from_file_location("thalweg_kernels_building", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


building = _building()


def wanted_levels() -> list[str]:
    """The levels to make: those of this kind of machine, or the one that THALWEG_KERNELS names."""
    asked = os.environ.get("THALWEG_KERNELS", "")
    return [level for level in building.levels_here() if asked in ("", level)] if building.compiler() else []


def get_requires_for_build_wheel(config_settings=None):
    """What hatchling needs, and jaxlib for its headers where kernels are made."""
    headers = ["jaxlib>=0.6"] if wanted_levels() else []
    return [*plainly.get_requires_for_build_wheel(config_settings), *headers]


class Kernels(BuildHookInterface):
    """Puts the libraries into the wheel."""

    def initialize(self, version, build_data):
        found = importlib.util.find_spec("jaxlib")
        if version == "editable" or found is None or not found.submodule_search_locations:
            return
        self._folder = tempfile.TemporaryDirectory()
        headers = str(Path(next(iter(found.submodule_search_locations))) / "include")
        interface = building.interface(headers)
        for level in wanted_levels():
            name = building.carried_name(level, interface)
            path = Path(self._folder.name) / name
            if wrong := building.make(building.compiler(), level, headers, path, alone=True):
                self.app.display_warning(f"No CPU kernels ({level}) in the wheel: {wrong}")
                continue
            build_data["force_include"][str(path)] = f"thalweg/_src/kernels/made/{name}"
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"

    def finalize(self, version, build_data, artifact_path):
        if folder := getattr(self, "_folder", None):
            folder.cleanup()
