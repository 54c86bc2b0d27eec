# SPDX-License-Identifier: Apache-2.0
"""The rows of hosted projects. Their repositories are made by `projects.py`, which calls this.

Transaction functions: each takes the session first, touches nothing else and returns frozen
values. A project is announced by `ProjectCreated` in the transaction that makes its row.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import RowMapping, bindparam, func, insert, select, update

from .. import journal
from ..db import Session
from ..errors import Conflict, NotFound
from ..events import ProjectCreated
from ..reasons import reason
from .model import Project, SubmitType
from .tables import projects

_by_name = select(projects).where(projects.c.name == bindparam("name"))


def create_project(session: Session, project: Project, account: int | None, at: datetime) -> Project:
    """Host a project from now on; its place is behind all others."""
    must_be_new(session, project.name)
    last = session.execute(select(func.max(projects.c.position))).scalar()
    values = {
        "name": project.name,
        "description": project.description,
        "submit_type": project.submit_type.value,
        "rules": project.rules,
        "default_branch": project.default_branch,
        "position": (last or 0) + 1,
        "created": at,
        "creator": account,
    }
    row = session.execute(insert(projects).values(values).returning(projects)).mappings().one()
    journal.append(session, ProjectCreated(project.name, account), at)
    return _project(row)


def must_be_new(session: Session, name: str) -> None:
    """Refuse a name that is taken."""
    if find_project(session, name) is not None:
        raise Conflict(reason=reason("review.project-exists", project=name))


def change_project(session: Session, project: Project) -> Project:
    """Store a project's settings; its name and place stay."""
    values = {
        "description": project.description,
        "submit_type": project.submit_type.value,
        "rules": project.rules,
        "default_branch": project.default_branch,
    }
    session.execute(update(projects).where(projects.c.name == project.name).values(values))
    return get_project(session, project.name)


def find_project(session: Session, name: str) -> Project | None:
    """The project of this name."""
    row = session.execute(_by_name, {"name": name}).mappings().first()
    return _project(row) if row else None


def find_projects(session: Session, names: Collection[str]) -> dict[str, Project]:
    """Those of these projects that are hosted."""
    rows = session.execute(select(projects).where(projects.c.name.in_(names))).mappings()
    return {project.name: project for project in map(_project, rows)}


def get_project(session: Session, name: str) -> Project:
    """The project of this name; a sentence when there is none."""
    found = find_project(session, name)
    if found is None:
        raise NotFound(reason=reason("review.no-such-project", project=name))
    return found


def list_projects(session: Session) -> tuple[Project, ...]:
    """All hosted projects in order of creation."""
    return tuple(_project(row) for row in session.execute(select(projects).order_by(projects.c.position)).mappings())


def last_position(session: Session) -> int:
    """The place of the newest project."""
    return session.execute(select(func.max(projects.c.position))).scalar() or 0


def _project(row: RowMapping) -> Project:
    return Project(
        name=row["name"],
        description=row["description"],
        submit_type=SubmitType(row["submit_type"]),
        rules=row["rules"],
        default_branch=row["default_branch"],
        position=row["position"],
    )
