"""Which files a policy may name: those beside or below the policy the user gave, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path, PureWindowsPath

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


class Misplaced(Exception):
    """The reference is none we follow."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message, self.remedy = message, remedy


def contained(reference: str, beside: Path, folder: Path) -> Path:
    """The file a reference means, symbolic links followed.

    Args:
        beside: folder of the file the reference stands in.
        folder: folder of the entry file, which nothing may leave.
    """
    if _URL.match(reference):
        raise Misplaced("only files and presets can be named here, no URL", "save the file beside this policy")
    if Path(reference).is_absolute() or PureWindowsPath(reference).anchor:
        raise Misplaced("an absolute path ties the policy to one machine", "write it relative to this file")
    try:
        path = (beside / reference).resolve()
        if not path.is_relative_to(folder):
            raise Misplaced("the path leaves the folder of the policy it was loaded for", "keep the file in there")
        found = path.is_file()
    except (OSError, ValueError, RuntimeError):
        found = False
    if not found:
        raise Misplaced("there is no such file", "check the path: it is relative to this file")
    return path
