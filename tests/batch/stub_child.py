"""In the place of batch/child.py: copies the content instead of painting it, and logs what it was told.

Words in the content's name say what happens besides; a file NAME.fails beside it lets the pair fail.
"""

import json
import os
import shutil
import sys
import time

task = json.loads(sys.argv[1])
content, output = task["args"]["content_image"], task["args"]["output"]
folder, name = os.path.split(content)
with open(os.path.join(folder, "log"), "a") as log:
    log.write(json.dumps(dict(task, name=name, worker=os.getppid(), threads=os.environ.get("OMP_NUM_THREADS"))) + "\n")
print("painting", name, file=sys.stderr)
if "slow" in name:
    time.sleep(0.4)
end = time.monotonic() + 60
while "shared" in name and time.monotonic() < end:  # until there are two workers
    with open(os.path.join(folder, "log")) as log:
        if len({json.loads(line)["worker"] for line in log}) > 1:
            break
    time.sleep(0.02)
if "endless" in name:
    os.read(0, 1)
    sys.exit(130)
if "killed" in name:
    with open(os.path.join(folder, "log")) as log:
        times = sum(json.loads(line)["name"] == name for line in log)
    if times <= int(name[0]):
        os.kill(os.getpid(), 9)
if os.path.exists(content + ".fails"):
    print(json.dumps({"error": "no luck"}))
    sys.exit()
for path in filter(None, (output, task["raw"])):
    shutil.copy(content, path + "~")
    os.replace(path + "~", path)
print("a model's own words\n" + json.dumps({"error": None, "epochs": 3, "eps": 0.1}))
