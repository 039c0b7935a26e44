"""Execute the notebooks of this folder in place, each in a fresh kernel, with freely usable pictures only.

python examples/build.py                    # all of them: make figures
python examples/build.py total-variation    # one of them
python examples/build.py --keep             # after an interruption: reuse the pictures made so far
"""

import os
import sys
import time
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from neural_style.system.files import atomic

HERE = Path(__file__).resolve().parent
NOTEBOOKS = (
    "neuralart",
    "checkpoint-viewer",
    "book-figures",
    "gatys-figures",
    "total-variation",
    "regions",
    "end-to-end",
)


def executed(path):
    """The notebook at path, executed by this Python in the file's folder."""
    notebook = nbformat.read(str(path), as_version=4)
    # No folders to search: always the kernel of this Python, whatever others the user has installed.
    manager = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    NotebookClient(
        notebook,
        km=manager,
        timeout=None,
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    ).execute(cleanup_kc=True)
    return notebook


def cleaned(notebook):
    """The notebook without what differs from run to run and from machine to machine."""
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    for i, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{i}", {}
        for output in cell.get("outputs", ()):
            if "metadata" in output:
                output.metadata = {}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def main(names):
    os.environ.setdefault("NEURAL_STYLE_PICTURES", "free")
    if "--keep" in names:
        os.environ["NEURAL_STYLE_KEEP"] = "yes"
        names.remove("--keep")
    for name in names or NOTEBOOKS:
        path, start = HERE / f"{name}.ipynb", time.monotonic()
        print(f"{name} …", end=" ", flush=True)
        try:
            notebook = cleaned(executed(path))
        except CellExecutionError as error:
            sys.exit(f"failed; the file is unchanged\n{error}")
        with atomic(path) as temporary:
            nbformat.write(notebook, str(temporary))
        print(f"{(time.monotonic() - start) / 60:.1f} min, {path.stat().st_size / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
