"""The package's metadata; its version stands in neural_style/__init__.py, the tools' settings in pyproject.toml."""

import re
import runpy
from pathlib import Path

from setuptools import find_packages, setup

HOME = "https://neural-style.example"  # where this repository is published; put yours here, see CONTRIBUTING.md
PYTHONS = ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]
HERE = Path(__file__).parent

# The last MXNet has builds only for these; elsewhere everything else is installed, and a run says what to do. It asks
# for NumPy 1, which has no builds for Python 3.13. With what find_mxnet restores, it runs on NumPy 2 as well; there,
# install it separately: pip install --no-deps mxnet==1.9.1
MXNET = (
    'mxnet==1.9.1; python_version < "3.13" and '
    '(sys_platform == "linux" or sys_platform == "darwin" and platform_machine == "x86_64")'
)
# For examples/build.py and the notebooks; to work with them by hand, use Jupyter, JupyterLab or VS Code.
NOTEBOOKS = ["matplotlib>=3.3", "nbclient>=0.6", "nbformat>=5.1", "ipykernel>=6"]
# What compiles the loops of fast32.
FAST = ["numba>=0.56", "threadpoolctl>=3"]
# What MXNet's CUDA build is linked to; python -m neural_style.cuda installs that build, and these beside it.
CUDA = runpy.run_path(str(HERE / "neural_style/cuda.py"))["PACKAGES"]
# The studio's server.
STUDIO = ["starlette>=0.37", "uvicorn>=0.23"]
# FFmpeg, for films.
FILM = ["av>=12"]
DASK = ["dask", "distributed"]
KERAS = ["h5py>=3"]
# Other releases format and judge differently.
LINT = ["ruff==0.17.6", 'mypy==2.4.1; python_version >= "3.10"']
# Playwright drives a Chromium of the system.
TEST = ["pytest>=7", "pytest-xdist>=3", "setuptools>=70.1", "playwright>=1.45", "tifffile"]


def read(name):
    return (HERE / name).read_text(encoding="utf-8")


def with_absolute_links(page):
    """page, in Markdown, with its links to files of this repository leading there from anywhere."""
    link = re.compile(r"(!?)(\[[^]]*\])\((?!https:|#)")
    return link.sub(lambda found: f"{found[1]}{found[2]}({HOME}/{'raw' if found[1] else 'blob'}/HEAD/", page)


setup(
    name="neural-style-mxnet",
    version=re.search(r'__version__ = "(.+?)"', read("neural_style/__init__.py"))[1],
    description="Neural style transfer by optimisation: MXNet's example on today's Python",
    long_description=with_absolute_links(read("README.md")),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    url=HOME,
    project_urls={
        "Documentation": f"{HOME}/blob/HEAD/README.md#documentation",
        "Changes": f"{HOME}/blob/HEAD/CHANGELOG.md",
    },
    keywords="neural style transfer, MXNet, VGG, painting",
    classifiers=[
        "Development Status :: 5 - Production/Stable",
        "Environment :: Console",
        "Intended Audience :: End Users/Desktop",
        "Intended Audience :: Science/Research",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        *(f"Programming Language :: Python :: {version}" for version in PYTHONS),
        "Topic :: Artistic Software",
        "Topic :: Multimedia :: Graphics",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    packages=find_packages(include=["neural_style", "neural_style.*"]),
    package_data={
        "neural_style": ["py.typed"],
        "neural_style.report": ["template/*"],
        "neural_style.recipes": ["*.args"],
        "neural_style.end_to_end": ["styles/*"],
        "neural_style.studio": ["page/*", "tiles/*"],
    },
    python_requires=f">={PYTHONS[0]}",
    install_requires=[
        MXNET,
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
        "fast": FAST,
        "film": FILM,
        "studio": STUDIO,
        "cuda": CUDA,
        "torch": ["torch>=2.2"],
        "heic": ["pillow-heif>=0.10"],
        "keras": KERAS,
        "dask": DASK,
        "notebooks": NOTEBOOKS,
        "test": TEST + FAST + FILM + STUDIO + KERAS + DASK + NOTEBOOKS,
        "lint": LINT,
    },
    entry_points={"console_scripts": ["neural-style = neural_style.nstyle:main"]},
)
