"""pkg_resources, for environments whose setuptools has none."""

import numpy
import pytest

from thalweg._src.compat import package_resources, watching


def test_versions_of_packages():
    found = package_resources.get_distribution("numpy")
    assert found.version == numpy.__version__
    assert package_resources.require("numpy>=1.0")[0].project_name == "numpy"
    assert package_resources.parse_version("1.10.0") > package_resources.parse_version("1.9.1")
    with pytest.raises(package_resources.DistributionNotFound):
        package_resources.get_distribution("no-such-package")


def test_files_beside_modules(tmp_path, monkeypatch):
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "__init__.py").write_text("")
    (tmp_path / "beside" / "data.txt").write_text("seven")
    monkeypatch.syspath_prepend(tmp_path)
    assert package_resources.resource_string("beside", "data.txt") == b"seven"
    assert package_resources.resource_stream("beside", "data.txt").read() == b"seven"
    assert package_resources.resource_exists("beside", "data.txt")
    assert not package_resources.resource_exists("beside", "other.txt")
    assert "data.txt" in package_resources.resource_listdir("beside", "")
    with pytest.raises(ModuleNotFoundError):
        package_resources.resource_filename("no_such_module", "x")


def test_it_is_served_under_its_old_name():
    assert watching.RENAMED["pkg_resources"] == ("thalweg._src.compat.package_resources",)
