# Copyright The gatebot developers
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU General
# Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
# option) any later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY;
# see <https://www.gnu.org/licenses/> for details.
#
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trees of files as `synchronize` compares and moves them: listed, planned, packed and unpacked on either machine.

Loaded by ansible-playbook and its modules only, never by gatebot itself, which is why its licence is Ansible's.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import stat
import tarfile
import tempfile


class Refused(Exception):
    """What cannot be done, as a sentence."""


def ends(path):
    """The directory that names begin at, and the one name that is meant there; none: all that is in it."""
    if path.endswith("/"):
        return path.rstrip("/") or "/", ""
    return os.path.split(path)


def matcher(pattern):
    """Whether rsync's pattern means a path below what is moved, which may be a directory."""
    only_directories, anchored = pattern.endswith("/"), pattern.startswith("/")
    pattern = pattern.strip("/")
    pieces = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*|\*|\?|\[[^]]*\])", pattern)
    text = "".join(pieces.get(part) or (part if part.startswith("[") else re.escape(part)) for part in parts)
    compiled = re.compile(("" if anchored else "(?:.*/)?") + text + r"\Z")
    return lambda path, directory: (directory or not only_directories) and compiled.match(path) is not None


def chosen(rules):
    """A test of paths: the first of the rules, each `[include or exclude, pattern]`, that means it says."""
    compiled = [(kind == "include", matcher(pattern)) for kind, pattern in rules]
    return lambda path, directory: next((kept for kept, means in compiled if means(path, directory)), True)


def listed(base, name, rules=(), follow=False):
    """What is there: by path below `base`, the kind, and what has to be the same."""
    found, keep = {}, chosen(rules)
    look = os.stat if follow else os.lstat

    def enter(place):
        path = os.path.join(base, place)
        there = look(path)
        if not keep(place, stat.S_ISDIR(there.st_mode)):
            return
        mode = stat.S_IMODE(there.st_mode)
        if stat.S_ISLNK(there.st_mode):
            found[place] = ["link", os.readlink(path)]
        elif stat.S_ISREG(there.st_mode):
            found[place] = ["file", mode, there.st_size, int(there.st_mtime)]
        elif stat.S_ISDIR(there.st_mode):
            found[place] = ["directory", mode]
            for inner in sorted(os.listdir(path)):
                enter(f"{place}/{inner}")

    for first in [name] if name else sorted(os.listdir(base)) if os.path.isdir(base) else []:
        if os.path.lexists(os.path.join(base, first)):
            enter(first)
    return found


def planned(here, there, delete=False):
    """What is to be sent, and what is to be removed first, where `there` is to become as `here`."""
    sent = [path for path in sorted(here) if there.get(path) != here[path]]
    gone = [path for path in there if delete and path not in here]
    other = [path for path in sent if path in there and there[path][0] != here[path][0]]
    return sent, sorted([*gone, *other], reverse=True)


def pack(base, paths, archive, follow=False):
    """Put some paths below a directory into an archive, each under its new name."""
    with tarfile.open(archive, "w", dereference=follow) as file:
        for path, new in paths.items():
            file.add(os.path.join(base, path), new, recursive=False)


def unpack(archive, base, paths, removed):
    """Make a directory as planned. What the archive holds besides, or leads out of the directory, is refused."""
    os.makedirs(base, exist_ok=True)
    for path in removed:
        target = inside(base, path)
        shutil.rmtree(target) if os.path.isdir(target) and not os.path.islink(target) else os.unlink(target)
    modes = []
    with tarfile.open(archive) as file:
        for member in file:
            if member.name not in paths:
                raise Refused(f"{member.name} was not asked for.")
            target = inside(base, member.name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if member.isdir():
                os.makedirs(target, exist_ok=True)
                modes.append((target, member.mode))
                continue
            if os.path.lexists(target):
                os.unlink(target)
            if member.issym():
                os.symlink(member.linkname, target)
            else:
                with open(target, "wb") as written:
                    shutil.copyfileobj(file.extractfile(member), written)
                os.chmod(target, stat.S_IMODE(member.mode))
                os.utime(target, (member.mtime, member.mtime))
    for target, mode in reversed(modes):
        os.chmod(target, stat.S_IMODE(mode))


def inside(base, path):
    """Where a path is, by way of directories only that are below `base`."""
    top = os.path.realpath(base)
    parent = os.path.realpath(os.path.join(top, os.path.dirname(path)))
    if parent != top and not parent.startswith(top.rstrip("/") + "/"):
        raise Refused(f"{path} leads out of {base}.")
    return os.path.join(parent, os.path.basename(path))


def options(given):
    """The rules among options of rsync. Those that change nothing here are passed over, all others refused."""
    rules = []
    words = [word for option in given for word in option.split(None, 1)]
    while words:
        word = words.pop(0)
        name, has, value = word.partition("=")
        if name in ("--include", "--exclude"):
            if not has and not words:
                raise Refused(f"{name} needs a pattern.")
            rules.append([name.lstrip("-"), (value if has else words.pop(0)).strip("'\"")])
        elif not any(fnmatch.fnmatch(name, one) for one in WITHOUT_EFFECT):
            raise Refused(f"synchronize does not know the option {word} of rsync; use a command that runs rsync.")
    return rules


class Here:
    """One end: this machine. Another end has the same methods."""

    def __init__(self, rules=(), follow=False):
        self._rules = rules
        self._follow = follow

    def listed(self, base, name):
        return listed(base, name, self._rules, self._follow)

    def pack(self, base, paths, archive):
        pack(base, paths, archive, self._follow)

    def unpack(self, archive, base, paths, removed):
        unpack(archive, base, paths, removed)


def synchronized(source, target, src, dest, delete=False):
    """Bring the tree `src` of one end to `dest` of another; the paths that changed."""
    base, name = ends(src)
    here = source.listed(base, name)
    if name and not here:
        raise Refused(f"{src} is not there, or is left out.")
    into, new = dest.rstrip("/") or "/", name
    if name and here[name][0] != "directory" and not dest.endswith("/"):
        parent, last = os.path.split(dest)
        if target.listed(parent, last).get(last, [""])[0] != "directory":
            into, new = parent, last
    wanted = {new + path[len(name) :]: what for path, what in here.items()}
    sent, removed = planned(wanted, target.listed(into, new), delete)
    if sent or removed:
        with tempfile.NamedTemporaryFile() as archive:
            source.pack(base, {name + path[len(new) :]: path for path in sent}, archive.name)
            target.unpack(archive.name, into, sent, removed)
    return [*removed, *sent]


#: Options of rsync that are about speed, talk, owners, or what is always done.
WITHOUT_EFFECT = (
    *("-[aqrvzh]*", "--quiet", "--verbose", "--no-motd", "--blocking-io", "--compress*", "--archive", "--recursive"),
    *("--partial", "--progress", "--stats", "--whole-file", "--safe-links", "--no-owner", "--no-group", "--no-[og]"),
    *("--human-readable", "--info", "--timeout", "--omit-dir-times"),
)
