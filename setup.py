"""Package metadata; the version is kept in neural_style/__init__.py."""

import platform
import re
import sys
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

# The last MXNet has builds only for these.
if (platform.system(), platform.machine()) not in {("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "x86_64")}:
    sys.exit(
        f"MXNet 1.9.1 has no build for {platform.system()} {platform.machine()}: use Linux (on Windows: WSL 2), "
        "or on a Mac with Apple silicon an Intel build of Python, which Rosetta runs"
    )

# For examples/build.py and the notebooks; to work with them by hand, use Jupyter, JupyterLab or VS Code.
NOTEBOOKS = ["matplotlib>=3.3", "nbclient>=0.6", "nbformat>=5.1", "ipykernel>=6"]

# What compiles the loops of fast32.
FAST = ["numba>=0.56", "threadpoolctl>=3"]

# FFmpeg, for films.
FILM = ["av>=12"]

setup(
    name="neural-style-mxnet",
    version=re.search(r'__version__ = "(.+?)"', (HERE / "neural_style/__init__.py").read_text()).group(1),
    description="Neural style transfer by optimisation: MXNet's example on today's Python",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=find_packages(include=["neural_style", "neural_style.*"]),
    package_data={
        "neural_style.report": ["template/*"],
        "neural_style.recipes": ["*.args"],
        "neural_style.end_to_end": ["styles/*"],
    },
    python_requires=">=3.8",
    install_requires=[
        # The last MXNet asks for NumPy 1, which has no builds for Python 3.13. With what find_mxnet restores, it runs
        # on NumPy 2 as well; there, install it separately: pip install --no-deps mxnet==1.9.1
        'mxnet==1.9.1; python_version < "3.13"',
        'numpy>=1.17,<2; python_version < "3.13"',
        'numpy>=2.1; python_version >= "3.13"',
        "scikit-image>=0.19",  # channel_axis
        "scipy>=1.5",
        "pillow>=10.1",  # earlier ones turn some TIFF files twice
        "requests>=2.20",
        "tqdm>=4.40",
        "platformdirs>=2.5",
        "packaging>=20",  # stands in for distutils.version on Python 3.12
    ],
    extras_require={
        "test": FAST
        + FILM
        + ["pytest>=7", "pytest-xdist>=3", "h5py>=3", "setuptools>=70.1", "dask", "distributed", "playwright>=1.45"]
        + NOTEBOOKS,  # playwright drives a Chromium of the system
        "fast": FAST,
        "film": FILM,
        "dask": ["dask", "distributed"],
        "notebooks": NOTEBOOKS,
        "keras": ["h5py>=3"],
        "heic": ["pillow-heif>=0.10"],
    },
    entry_points={"console_scripts": ["neural-style = neural_style.nstyle:main"]},
)
