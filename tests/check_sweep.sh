#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `wavecast sweep` against the world: killed at any moment, without disk space, locked out, given
# files that are not its own; and several processes, where the program was built with MPI.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
exec python3 - "$program" "$src" <<'PYTHON'
import contextlib, json, os, re, resource, shutil, signal, sqlite3, subprocess, sys, tempfile, time

program, source = sys.argv[1], sys.argv[2]
sweep = os.path.join(source, "tests/sweeps/hopper.yaml")
work = tempfile.mkdtemp()
complaints = []


def path(name):
    return os.path.join(work, name)


def run(results, file=sweep, prefix=(), **options):
    return subprocess.run([*prefix, program, "sweep", file, "-o", results, "--json"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120,
                          **options)


def expect(condition, what):
    if not condition:
        complaints.append(what)


def contents(results):
    """Everything that a reader can see, in an order that does not depend on threads."""
    with sqlite3.connect(results) as db:
        return [db.execute(query).fetchall() for query in (
            "SELECT * FROM results ORDER BY point_id", "SELECT * FROM problems ORDER BY 1",
            "SELECT * FROM settings ORDER BY 1, 2", "SELECT * FROM batches ORDER BY 1",
            "SELECT * FROM meta ORDER BY 1")]


def refused(done, code, words, what):
    expect(done.returncode == code, f"{what}: exit {done.returncode}, not {code}")
    expect(words in done.stderr, f"{what}: {words!r} is not in {done.stderr!r}")
    expect(done.stdout == "", f"{what}: printed {done.stdout!r}")


def kill_once(results, writes, command):
    """Kills a sweep (with all its processes) when its log changed so often; whether it was alive."""
    seen = set()
    child = subprocess.Popen([*command, program, "sweep", sweep, "-o", results],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             start_new_session=True)
    while child.poll() is None:
        try:
            seen.add(os.stat(results + "-wal").st_mtime_ns)
            if len(seen) > writes:
                break
        except OSError:
            pass
        time.sleep(0.0005)
    alive = child.poll() is None
    if alive:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    return alive


def readable(results, name):
    """What a killed sweep left is whole: every batch that is listed has all its points."""
    with contextlib.closing(sqlite3.connect(results, timeout=20)) as db:
        torn = db.execute("SELECT problem_id FROM problems WHERE status = 'ok' AND (SELECT count(*) "
                          "FROM points WHERE points.problem_id = problems.problem_id) <> (SELECT "
                          "coalesce(sum(points), 0) FROM batches WHERE batches.problem_id = "
                          "problems.problem_id)").fetchall()
        expect(not torn, f"{name}: torn batches of problems {torn}")


def killed(name, reference, command=()):
    """A file whose sweep was killed three times ends up like one that was left alone."""
    results, kills, there = path(name), 0, []
    for writes in (6, 3, 4):
        kills += kill_once(results, writes, command)
        time.sleep(0.05)
    readable(results, name)
    done = run(results)
    deadline = time.monotonic() + 20
    while "another process" in done.stderr and time.monotonic() < deadline:
        time.sleep(0.1)  # processes that lost their launcher end by themselves
        done = run(results)
    expect(kills > 0, f"{name}: the sweep was never caught alive")
    expect(done.returncode == 0, f"{name}: {done.stderr}")
    if done.returncode == 0:
        summary = json.loads(done.stdout)
        expect(summary["batches_before"] > 0, f"{name}: nothing survived")
        expect(summary["batches_before"] + summary["batches_now"] == summary["batches"],
               f"{name}: {summary}")
        expect(contents(results) == reference, f"{name}: other contents than without a kill")
        again = json.loads(run(results).stdout)
        expect(again["batches_now"] == 0, f"{name}: a finished file was computed again")
    expect(not os.path.exists(results + "-wal"), f"{name}: a log file was left")
    print(f"{name}: killed {kills} times")


def full_disk():
    """The file may not grow: what was stored stays, and the sweep goes on later."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (250000, 250000))
    results = path("full.db")
    refused(run(results, preexec_fn=limit), 2, "every batch stored before is safe", "full disk")
    done = run(results)
    expect(done.returncode == 0, f"after a full disk: {done.stderr}")
    expect(json.loads(done.stdout)["batches_before"] > 0, "after a full disk: nothing survived")
    return contents(results)


def progress():
    """A terminal sees how far it is, how fast and how long; anything else sees nothing of it."""
    master, slave = os.openpty()
    done = subprocess.run([program, "sweep", sweep, "-o", path("tty.db"), "--json"],
                          stdout=subprocess.PIPE, stderr=slave, text=True, timeout=120)
    os.close(slave)
    seen = os.read(master, 65536).decode()
    os.close(master)
    expect(re.search(r"\[#*\.*\] +\d+ %  [\d.]+( [kMG])? configurations/s  .* left", seen),
           f"progress: {seen[:200]!r}")
    expect(json.loads(done.stdout)["points"] == 1728, "progress got into the results")


def not_ours(reference):
    results = path("foreign.db")
    with open(results, "w") as file:
        file.write("a letter to my aunt, longer than any header of a database file may be\n" * 9)
    before = open(results).read()
    refused(run(results), 3, "not a results file", "a text")
    expect(open(results).read() == before, "a text was changed")
    os.remove(results)
    with sqlite3.connect(results) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    refused(run(results), 3, "not a results file", "another database")
    shutil.copy(path("whole.db"), path("version.db"))
    with sqlite3.connect(path("version.db")) as db:
        db.execute("PRAGMA user_version = 99")
    refused(run(path("version.db")), 3, "version 99", "another version")
    refused(run(path("whole.db"), file=os.path.join(source, "tests/sweeps/list.yaml")), 3,
            "another sweep", "another sweep")
    refused(run(path("nowhere/results.db")), 3, "cannot be opened", "a missing folder")
    expect(contents(path("whole.db")) == reference, "a refused sweep changed the file")


def locked(reference):
    db = sqlite3.connect(path("whole.db"), isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    refused(run(path("whole.db")), 3, "another process", "a locked file")
    db.execute("ROLLBACK")
    db.close()
    expect(contents(path("whole.db")) == reference, "a locked file changed")


def several(reference):
    """mpirun shares a sweep, and can be killed like a process alone."""
    config = subprocess.run([program, "--build-config"], stdout=subprocess.PIPE, text=True).stdout
    mpirun = shutil.which("mpirun")
    if "MPI" not in config or mpirun is None:
        print("SKIP: several processes: not built --with-mpi, or no mpirun")
        return
    launcher = [mpirun, "--oversubscribe", "-n", "4"]
    if os.geteuid() == 0:
        launcher.insert(1, "--allow-run-as-root")
    done = run(path("mpi.db"), prefix=launcher)
    expect(done.returncode == 0, f"mpirun: {done.stderr}")
    expect(contents(path("mpi.db")) == reference, "mpirun: other contents than alone")
    bad = run(path("bad.db"), file=os.path.join(source, "tests/bad_sweeps/gpu-typo.yaml"),
              prefix=launcher)
    expect(bad.returncode != 0 and "did you mean" in bad.stderr, f"mpirun: {bad.stderr}")
    killed("mpi-killed.db", reference, launcher)


try:
    first = run(path("whole.db"))
    expect(first.returncode == 0, first.stderr)
    reference = contents(path("whole.db"))
    expect(len(reference[0]) == 3 * 3 * 4 * 2 * 6 * 4, f"{len(reference[0])} points")
    one = run(path("one.db"), env={**os.environ, "OMP_NUM_THREADS": "1"})
    expect(first.stderr == "" and one.stderr == "", "progress without a terminal")
    progress()
    expect(contents(path("one.db")) == reference, "one thread finds other results than several")
    killed("killed.db", reference)
    expect(full_disk() == reference, "other contents after a full disk")
    locked(reference)
    not_ours(reference)
    several(reference)
finally:
    shutil.rmtree(work)
print("\n".join(complaints))
sys.exit(1 if complaints else 0)
PYTHON
