"""Batches on the workers of a Dask cluster, whose children are stubs."""

import collections
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from argparse import Namespace

import pytest
from stubs import STUB, entries, told, until, words

from neural_style.batch import cluster
from neural_style.batch.__main__ import main
from neural_style.batch.children import Outcome, Task
from neural_style.options.check import complete
from neural_style.system.errors import NeuralStyleError

distributed = pytest.importorskip("dask.distributed")
QUIET = dict(threads_per_worker=1, dashboard_address=":0", silence_logs=50)
ELSEWHERE = """
import sys
from dask import distributed
if __name__ == "__main__":
    with distributed.LocalCluster(n_workers=1, preload=[sys.argv[1]], **{}) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def preload(tmp_path_factory):
    """What a worker is to run first, so that its children are stubs."""
    path = tmp_path_factory.mktemp("cluster") / "preload.py"
    path.write_text(f"from neural_style.batch import children\nchildren.CHILD = {STUB}\n")
    return path


@pytest.fixture
def one_worker(preload):
    with distributed.LocalCluster(n_workers=1, preload=[str(preload)], **QUIET) as cluster:
        yield cluster


@pytest.fixture
def elsewhere(preload):
    """A cluster in a process of its own: its address."""
    script = preload.with_name("elsewhere.py")
    script.write_text(ELSEWHERE.format(QUIET))
    process = subprocess.Popen(
        [sys.executable, str(script), str(preload)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process.stdout.readline().strip(), process
    process.kill()
    process.communicate()


def contents(folder, *names):
    for name in names:
        shutil.copy(folder / "in/chelsea.png", folder / f"in/{name}.png")
    for name in ("chelsea", "rocket"):
        (folder / f"in/{name}.png").unlink()


def start(folder, address, *more):
    """A batch in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "neural_style.batch"] + words(folder, "--dask", address, *more),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def painted_by(folder):
    """How many pairs each worker was given, by its process."""
    return collections.Counter(task["worker"] for task in told(folder))


def test_one_worker_paints_all_and_one_that_comes_late_has_its_share(folder, stub, one_worker, capfd):
    contents(folder, "0 slow", *(f"{number} shared" for number in range(1, 8)))
    (first,) = (worker.pid for worker in one_worker.workers.values())

    def grow():
        until(lambda: len(told(folder)) == 2)
        alone.append(painted_by(folder))
        one_worker.scale(2)

    alone = []
    threading.Thread(target=grow, daemon=True).start()
    assert main(words(folder, "--dask", one_worker.scheduler_address, *stub)) == 0
    assert alone == [{first: 2}] and first != os.getpid()
    assert len(painted_by(folder)) == 2 and len(told(folder)) == 8
    assert {entry["outcome"] for entry in entries(folder).values()} == {"done"}
    assert "8 of 8 pairs are done" in capfd.readouterr().err


def test_done_is_done_when_its_worker_is_lost_later(folder, stub, one_worker):
    contents(folder, "0", "1", "2 slow", "3 slow", "4 slow")

    def kill():
        until(lambda: len(told(folder)) == 3 and entries(folder)["1-coffee.png"]["outcome"] == "done")
        os.kill(told(folder)[0]["worker"], signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    assert main(words(folder, "--dask", one_worker.scheduler_address, "--quiet", *stub)) == 0
    assert sorted(task["name"][0] for task in told(folder)) == ["0", "1", "2", "2", "3", "4"]


def test_a_scheduler_that_dies_is_one_line(folder, stub, elsewhere):
    address, process = elsewhere
    contents(folder, "0", "1 slow", "2 slow", "3 slow")

    def kill():
        until(lambda: len(told(folder)) == 2 and entries(folder)["0-coffee.png"]["outcome"] == "done")
        process.kill()

    threading.Thread(target=kill, daemon=True).start()
    batch = start(folder, address, "--quiet", *stub)
    assert re.fullmatch(
        r"neural_style.batch: error: --dask tcp://\S+: the connection to the scheduler is lost; .*\n",
        batch.communicate()[1],
    )
    assert batch.returncode == 1
    assert [entry["outcome"] for entry in entries(folder).values()] == ["done"] + ["waiting"] * 3
    assert (folder / "out/index.html").exists()


def test_after_ctrl_c_no_pair_is_begun(folder, stub, one_worker):
    contents(folder, "0 slow", "1 slow", "2 slow")
    running = start(folder, one_worker.scheduler_address, *stub)
    until(lambda: told(folder))
    running.send_signal(signal.SIGINT)
    assert running.communicate()[1] == "neural_style.batch: interrupted; run the same command again to continue\n"
    assert running.returncode == 130
    with distributed.Client(one_worker.scheduler_address, set_as_default=False) as client:
        until(lambda: not any(client.processing().values()))
    assert len(told(folder)) == 1


@pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode,
    reason="there are no namespaces here",
)
@pytest.mark.parametrize("hidden", ["in", "style"])
def test_a_worker_that_does_not_see_the_pictures(folder, stub, hidden, capfd):
    with distributed.LocalCluster(n_workers=0, **QUIET) as scheduler:
        worker = [
            *f"{sys.executable} -m distributed.cli.dask_spec {scheduler.scheduler_address} --spec".split(),
            json.dumps({"cls": "dask.distributed.Worker", "opts": {"nthreads": 1}}),
        ]
        command = (
            f"mount -t tmpfs none {shlex.quote(str(folder / hidden))} && exec {' '.join(map(shlex.quote, worker))}"
        )
        worker = subprocess.Popen(["unshare", "-rm", "sh", "-c", command], stderr=subprocess.DEVNULL)
        assert main(words(folder, "--dask", scheduler.scheduler_address, *stub)) == 1
        worker.kill()
        worker.wait()
    said = capfd.readouterr().err
    assert len(said.splitlines()) == 1 and re.search(
        rf"the worker tcp://\S+ does not see {folder / hidden}/\w+\.png; ", said
    )
    assert not told(folder) and not list(folder.glob("out/*.png"))


def test_a_worker_that_comes_late_and_cannot_paint(folder):
    args = vars(
        complete(
            Namespace(
                content_image=str(folder / "in/chelsea.png"),
                style_image=str(folder / "nowhere.png"),
                output=str(folder / "x.png"),
            )
        )
    )
    assert "the worker on " in cluster._paint(Task(args), "0.1").error
    assert f"does not see {folder / 'nowhere.png'}; " in cluster._paint(Task(args), cluster.__version__).error


def test_an_exception_with_a_deep_traceback_does_not_stay_on_its_worker(folder, stub, preload, capfd):
    deep = preload.with_name("deep.py")
    deep.write_text(
        "from neural_style.batch import children\n"
        "def paint(*given):\n    return paint(*given)\nchildren.Children.paint = paint\n"
    )
    with distributed.LocalCluster(n_workers=1, preload=[str(deep)], **QUIET) as one:
        assert main(words(folder, "--dask", one.scheduler_address, *stub)) == 1
    assert "failed: chelsea-coffee.png: the worker on " in capfd.readouterr().err


def test_a_cluster_that_cannot_work_is_told_before_the_start(tmp_path):
    class Client:
        def __init__(self, needed, version):
            self.run = lambda function, *given: {"tcp://a": function(needed, version)}

        def wait_for_workers(self, count, timeout):
            pass

    cluster._demand_ready(Client([tmp_path], cluster.__version__), "tcp://s", [])
    for needed, version, said in (
        ([], "0.1", "has neural_style .* and the batch 0.1"),
        (["/nowhere"], cluster.__version__, "see /no"),
    ):
        with pytest.raises(NeuralStyleError, match=said):
            cluster._demand_ready(Client(needed, version), "tcp://s", [])


def test_what_dask_gives_up_is_a_pair_that_failed():
    class Future:
        cancelled = staticmethod(lambda: False)

        def result(self):
            raise ValueError("Attempted to run it on 4 workers")

    assert "on 4 workers" in cluster._outcome(Future(), Namespace(status="running"), "").error
    with pytest.raises(NeuralStyleError, match="the connection to the scheduler is lost"):
        cluster._outcome(Future(), Namespace(status="closed"), "")
    Future.result = lambda self: Outcome(None)
    assert cluster._outcome(Future(), None, "") == Outcome(None)


def test_no_cluster_is_one_line(folder, stub, monkeypatch, capfd):
    monkeypatch.setattr(cluster, "WAIT", 0.1)
    assert main(words(folder, "--dask", "tcp://127.0.0.1:9", *stub)) == 1
    assert re.fullmatch(r"neural_style.batch: error: --dask tcp://127.0.0.1:9: no Dask .*\n", capfd.readouterr().err)
    with distributed.LocalCluster(n_workers=0, **QUIET) as empty:
        assert main(words(folder, "--dask", empty.scheduler_address, *stub)) == 1
    assert "this cluster has no workers yet" in capfd.readouterr().err


def test_an_empty_address_does_not_mean_this_machine(folder, stub, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words(folder, "--dask", "", *stub))
    assert ended.value.code == 2 and "--dask must be given a value" in capsys.readouterr().err
