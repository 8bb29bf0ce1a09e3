"""pkg_resources, which setuptools has dropped: versions of installed packages, and files beside their modules."""

import importlib.metadata
import importlib.util
import io
import os
from typing import Any

from thalweg._src.compat.versions import LooseVersion as parse_version

__all__ = [
    *("DistributionNotFound", "VersionConflict", "get_distribution", "iter_entry_points", "parse_version", "require"),
    *("resource_exists", "resource_filename", "resource_listdir", "resource_stream", "resource_string"),
]


class DistributionNotFound(Exception):
    """No such package is installed."""


class VersionConflict(Exception):
    """The package is installed in another version."""


class Distribution:
    """An installed package."""

    def __init__(self, found: importlib.metadata.Distribution):
        self.project_name = self.key = found.metadata["Name"]
        self.version = found.version
        self.location = str(found.locate_file(""))
        self.parsed_version = parse_version(found.version)


def get_distribution(name: str) -> Distribution:
    """The installed package of that name. Raises DistributionNotFound for none."""
    try:
        return Distribution(importlib.metadata.distribution(name))
    except importlib.metadata.PackageNotFoundError:
        raise DistributionNotFound(f"The '{name}' distribution was not found") from None


def require(*names: str) -> list[Distribution]:
    """The installed packages of those names; what is said of their versions is passed over."""
    bare = ["".join(c if c.isalnum() or c in "-_." else " " for c in name).split()[0] for name in names]
    return [get_distribution(name) for name in bare]


def iter_entry_points(group: str, name: str | None = None) -> Any:
    """The entry points of a group."""
    return iter([e for e in importlib.metadata.entry_points(group=group) if name in (None, e.name)])


def resource_filename(package_or_requirement: str, resource_name: str) -> str:
    """The path of a file beside a module. Raises ModuleNotFoundError for a module that there is not."""
    spec = importlib.util.find_spec(package_or_requirement)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {package_or_requirement!r}", name=package_or_requirement)
    return os.path.join(os.path.dirname(spec.origin), *resource_name.split("/"))


def resource_exists(package_or_requirement: str, resource_name: str) -> bool:
    return os.path.exists(resource_filename(package_or_requirement, resource_name))


def resource_listdir(package_or_requirement: str, resource_name: str) -> list[str]:
    return os.listdir(resource_filename(package_or_requirement, resource_name))


def resource_string(package_or_requirement: str, resource_name: str) -> bytes:
    """The contents of a file beside a module."""
    with open(resource_filename(package_or_requirement, resource_name), "rb") as f:
        return f.read()


def resource_stream(package_or_requirement: str, resource_name: str) -> io.BytesIO:
    return io.BytesIO(resource_string(package_or_requirement, resource_name))
