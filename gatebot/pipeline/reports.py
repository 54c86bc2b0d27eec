# SPDX-License-Identifier: Apache-2.0
"""What the people of a change are told: one comment in Zuul's shape, which tools and eyes already know.

Pure: sentences of reasons come from the caller, in the language of the site.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..reasons import Reason
from .config.model import Moment, PipelineConfig
from .queue.model import CANCELED, NOOP, SUCCESS, Item
from .queue.sharing import REPORTER
from .queue.verdict import graph_of, results

_DEFAULTS = {
    Moment.ENQUEUE: "",
    Moment.START: "Starting {pipeline.name} jobs.",
    Moment.SUCCESS: "Build succeeded ({pipeline.name} pipeline).",
    Moment.FAILURE: "Build failed ({pipeline.name} pipeline).",
    Moment.MERGE_CONFLICT: "Merge failed ({pipeline.name} pipeline).",
    Moment.NO_JOBS: "No jobs ran ({pipeline.name} pipeline).",
    Moment.CONFIG_ERROR: "Configuration error ({pipeline.name} pipeline).",
    Moment.DEQUEUE: "Left the {pipeline.name} pipeline.",
    Moment.DISABLED: "",
}
BEFORE = (Moment.ENQUEUE, Moment.START)
"""The moments at which an item has not left."""
_PLACE = re.compile(r"\{([a-z_.]+)\}")


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job of the report. `seconds` None: it never ran; `text`: why it did not succeed."""

    name: str
    url: str
    result: str
    seconds: float | None = None
    voting: bool = True
    text: str = ""


def lines(
    item: Item, took: Mapping[str, float], url: str, say: Callable[[Reason], str], change: int = 0
) -> tuple[JobLine, ...]:
    """A line for each job that people expect; `took` are the seconds of builds. Reporter jobs come after the report.

    Of an item of several changes, the people of one `change` hear of its own jobs and of those that are shared.
    """
    if item.prepared is None or not item.builds:
        return ()
    left_out = graph_of(item).not_chosen(item.builds)
    known = results(item)
    said: list[JobLine] = []
    for job in item.prepared.jobs:
        if job.name == NOOP or job.type == REPORTER or job.key in left_out:
            continue  # nothing was run, and there is something that was
        if change and job.change not in (0, change):
            continue
        build, ended = item.builds.get(job.key), known[job.key] or CANCELED
        own = job.success_message if ended == SUCCESS else job.failure_message
        name = job.name if change else job.key
        if build is None:
            said.append(JobLine(name, "", own or ended, None, job.voting))
            continue
        why = say(build.reason) if build.reason is not None and ended not in (SUCCESS, CANCELED) else ""
        where = f"{url}/build/{build.id}"
        said.append(JobLine(name, where, own or ended, took.get(build.id), job.voting, why))
    return tuple(said)


def skipped(item: Item) -> int:
    """How many jobs were skipped because others did not choose them."""
    return len(graph_of(item).not_chosen(item.builds))


def message(
    pipeline: PipelineConfig,
    moment: Moment,
    lines: Iterable[JobLine],
    *,
    why: str,
    url: str,
    places: Mapping[str, str],
    left_out: int = 0,
    warnings: Iterable[str] = (),
) -> str:
    """The comment: what happened, why, where to look, a line for each job, warnings of jobs, the pipeline's footer."""
    names = {"pipeline.name": pipeline.name, **places}
    head = _filled(pipeline.messages.get(moment) or _DEFAULTS[moment], names)
    told = [f"Skipped {left_out} job{'s' if left_out > 1 else ''}"] if left_out else []
    jobs = "\n".join([*(_line(line, why) for line in lines), *told])
    warned = "\n".join(f"Warning: {warning}" for warning in warnings)
    footer = _filled(pipeline.messages.get("footer", ""), names)
    first = "\n".join(part for part in (head, url) if part)
    return "\n\n".join(part for part in (first, why, jobs, warned, footer) if part)


def _filled(text: str, names: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: names.get(found[1], found[0]), text)


def _line(line: JobLine, known: str) -> str:
    """As Zuul writes it; why the job did not succeed is below it, unless that is `known` already."""
    took = f" in {duration(line.seconds)}" if line.seconds is not None else ""
    voting = "" if line.voting else " (non-voting)"
    url = f" {line.url}" if line.url else ""
    said = f"\n  {line.text}" if line.text and line.text not in known else ""
    return f"- {line.name}{url} : {line.result}{took}{voting}{said}"


def duration(seconds: float) -> str:
    """A duration as Zuul writes it: `12s`, `2m 03s`, `1h 04m 09s`."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02d}m {rest:02d}s"
    return f"{minutes}m {rest:02d}s" if minutes else f"{rest}s"


def votes(pipeline: PipelineConfig, moment: Moment) -> dict[str, int]:
    """The votes that go with the report."""
    return {label: value for one in pipeline.reporters.get(moment, ()) for label, value in one.votes}


def speaking(pipeline: PipelineConfig, moment: Moment, failures: int) -> Moment | None:
    """Whose reporters speak at a moment, after so many failures in a row; None: nobody's.

    A pipeline that is disabled by its failures is silent but for the reporters of `disabled` (Zuul's
    `disable-after-consecutive-failures`); whoever is taken out is told all the same.
    """
    if pipeline.disable_after is None or failures < pipeline.disable_after or moment is Moment.DEQUEUE:
        return moment
    return None if moment in BEFORE else Moment.DISABLED


def speaks(pipeline: PipelineConfig, moment: Moment, *, chained: bool) -> bool:
    """Whether there is anything to tell. Nobody leaves a gate without a word, whatever is configured."""
    if any(one.comment or one.votes for one in pipeline.reporters.get(moment, ())):
        return True
    return moment is Moment.DEQUEUE or (chained and moment not in BEFORE)
