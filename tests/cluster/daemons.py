"""A cluster with SLURM of one node, this machine, with daemons and files of its own: for root."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")

# cred_expire: so many seconds a task waits that is put into the queue again; 120 where nothing is said, or less than 5
CONF = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerParameters=batch_sched_delay=1,sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
KillWait=3
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str:
    """Why SLURM cannot be started here; empty: it can."""
    if missing := [program for program in PROGRAMS if not shutil.which(program)]:
        return f"{', '.join(missing)} not installed (apt-get install slurm-wlm munge)"
    return "" if os.geteuid() == 0 else "its daemons are started by root alone"


class Cluster:
    """The daemons, and what tests ask of them."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.node = socket.gethostname().partition(".")[0]
        self.conf = folder / "slurm.conf"
        self.env = {**os.environ, "SLURM_CONF": str(self.conf)}
        folder.chmod(0o755)  # munge trusts no folder that others may write to
        for name in ("munge", "state", "spool"):
            (folder / name).mkdir(mode=0o755)
        self.conf.write_text(CONF.format(host=self.node, folder=folder, ports=_free_ports(2)))

    def start(self) -> None:
        munge = self.folder / "munge"
        (munge / "key").touch(mode=0o600)
        (munge / "key").write_bytes(secrets.token_bytes(128))
        files = {"key-file": "key", "log-file": "log", "pid-file": "pid", "seed-file": "seed", "socket": "socket"}
        self.call("munged", "--force", *(f"--{option}={munge / file}" for option, file in files.items()))
        self.call("slurmctld")
        self.call("slurmd")
        self.wait_until(lambda: "idle" in self.call("sinfo", "--noheader", "--format=%T", check=False))

    def stop(self) -> None:
        for task in self.queue():
            self.call("scancel", "--signal=KILL", task, check=False)
            self.call("scancel", task, check=False)
        for file in ("slurmd.pid", "slurmctld.pid", "munge/pid"):
            self._end(file)

    def restart_controller(self) -> None:
        self._end("slurmctld.pid")
        assert not self.queue(), "nobody answers"
        self.call("slurmctld")

    def call(self, *command: str, check: bool = True) -> str:
        """What a command of SLURM says."""
        try:
            done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=30, check=check)
        except subprocess.CalledProcessError as error:
            raise AssertionError(f"{command}: {error.stderr}") from error
        return done.stdout

    def queue(self) -> dict[str, str]:
        """Every task in the queue, and its state."""
        said = self.call("squeue", "--noheader", "--array", "--format=%i %T", check=False)
        return dict(line.split() for line in said.splitlines())

    def wait_until(self, holds: Callable[[], object], seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"waited in vain; the queue: {self.queue()}, the node: {self.call('sinfo')}"
            time.sleep(0.2)

    def _end(self, file: str) -> None:
        """Ends a daemon by the number that it wrote, and waits until it is gone."""
        try:
            process = int((self.folder / file).read_text())
            os.kill(process, signal.SIGTERM)
        except (OSError, ValueError):
            return
        for _ in range(100):
            if _is_over(process):
                return
            time.sleep(0.1)
        os.kill(process, signal.SIGKILL)


def _is_over(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
