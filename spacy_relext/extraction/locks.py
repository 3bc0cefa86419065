"""Locks in a folder that several processes or machines share: each is a file with host, process and time."""

import json
import os
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional
from uuid import uuid4

from ..annotations.triple import Record

# Seconds between heartbeats, and without a heartbeat until another process takes over.
BEAT, STALE = 5.0, 60.0


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Take a lock if it is free, and release it afterwards; yield True if it was taken.

    A lock is also free if its process has ended on this machine, or has sent no heartbeat for `STALE` seconds. If two
    processes take over the same stale lock at the same moment, both may hold it: their work must tolerate that.
    """
    if not _take(path):
        yield False
        return
    stop = threading.Event()
    threading.Thread(target=_beat, args=(path, stop), daemon=True).start()
    try:
        yield True
    finally:
        stop.set()
        path.unlink(missing_ok=True)


def _take(path: Path) -> bool:
    """Create the file of a lock, after removing a stale one."""
    for _ in range(2):
        # Written under another name, then linked to its own, so that nobody reads a partial file.
        new = path.with_name(f".{path.name}.{uuid4().hex}")
        new.write_text(json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "time": time.time()}))
        try:
            os.link(new, path)
            return True
        except FileExistsError:
            if not _is_stale(path):
                return False
            path.unlink(missing_ok=True)
        finally:
            new.unlink(missing_ok=True)
    return False


def _is_stale(path: Path) -> bool:
    """Return True if the process of a lock has ended, or seems to have."""
    try:
        age = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return True
    owner = _read(path) or {}
    if owner.get("host") == socket.gethostname() and not _is_alive(owner.get("pid")):
        return True
    return age > STALE


def _is_alive(pid: object) -> bool:
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _read(path: Path) -> Optional[Record]:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _beat(path: Path, stop: threading.Event) -> None:
    """Update the modification time of a lock as a heartbeat, every `BEAT` seconds."""
    while not stop.wait(BEAT):
        try:
            os.utime(path)
        except OSError:
            return
