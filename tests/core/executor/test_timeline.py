# SPDX-License-Identifier: Apache-2.0
"""What happened to a server, from lines that a real cloud wrote (tests/data/cloud-logs), and from few of our own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gatebot.executor.files.entries import entries, time_of
from gatebot.executor.files.model import RequestLine
from gatebot.executor.files.timeline import Happened, Step, concerns, servers_in, timeline

LOGS = Path(__file__).parents[2] / "data/cloud-logs"
SERVER = "53764d92-e7eb-4508-b27a-548e504781cb"
MAKER = "req-7ef94c11-4802-4f65-9103-e8a2d78c36f3"


def real() -> Iterator[RequestLine]:
    for path in sorted(LOGS.iterdir()):
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            if concerns(SERVER.encode(), line):
                yield RequestLine(path.name, number, time_of(line.decode(), 2026), line.decode())


def line(message: str, at: float = 1.0, level: str = "INFO") -> RequestLine:
    return RequestLine("n.log", 1, at, f"2026-11-28 09:00:00.1 1 {level} nova [None {MAKER} u] {message}")


def of(*lines: RequestLine) -> list[tuple[Happened, str, int]]:
    return [(step.happened, step.text, step.times) for step in timeline(SERVER, lines)]


def test_a_real_server_is_followed_from_202_over_its_polls_to_active() -> None:
    steps = timeline(SERVER, real())
    assert [(step.happened, step.text, step.file) for step in steps[:2]] == [
        (Happened.ACCEPTED, "POST /v2.1/servers 202", "nova.log"),
        (Happened.POLLED, f"GET /v2.1/servers/{SERVER} 200", "nova.log"),
    ]
    assert steps[0].request == MAKER
    assert steps[1].times == 3
    story = [step.text for step in steps if step.file == "nova-compute.log"]
    wanted = [
        "Claim successful on node gate", "Creating image(s)", "VM Started (Lifecycle Event)", "building, spawning",
        "Took 17.35 seconds to build instance.", "active", "Get console output",
        "Attaching volume 91ac83d2-ead6-4009-b0b6-e608e161cffe to /dev/vdb",
    ]  # fmt: skip
    assert [text for text in story if text in wanted] == wanted
    assert [step for step in steps if step.happened is Happened.ERROR] == []
    assert [step.at for step in steps] == sorted(step.at for step in steps)


def test_the_request_that_made_it_is_found_with_its_id_in_either_position() -> None:
    named: dict[str, int] = {}
    for path in LOGS.iterdir():
        found = [entry for entry in entries(path.read_bytes().split(b"\n"), 2026) if MAKER in entry.ids]
        named[path.stem] = len(found)
    assert all(
        named[one]
        for one in ("nova", "nova-conductor", "nova-scheduler", "nova-compute", "neutron", "glance", "placement")
    )
    first, second = (next(iter(entries((LOGS / name).read_bytes().split(b"\n"), 2026))).ids for name in
                     ("neutron.log", "glance.log"))  # fmt: skip
    assert first[0] == MAKER
    assert len(first) == 2
    assert second == (MAKER,)


def test_a_line_names_the_servers_that_it_is_about() -> None:
    assert servers_in(f"x [instance: {SERVER}] y".encode()) == (SERVER,)
    assert servers_in(f"GET /servers/{SERVER}".encode()) == ()


def test_what_another_request_accepted_is_not_the_beginning_of_this_server() -> None:
    other = RequestLine(
        "n.log", 1, 0.5, '2026-11-28 09:00:00.1 1 INFO x [None req-0] 1 "POST /v2.1/servers" status: 202'
    )
    assert of(other, line(f"[instance: {SERVER}] Claim")) == [(Happened.TOLD, "Claim", 1)]


def test_errors_and_the_end_of_a_server_are_told_as_such() -> None:
    assert of(
        line(f"[instance: {SERVER}] Failed to spawn: it broke", 1, "ERROR"),
        line(f'1 "DELETE /v2.1/servers/{SERVER}" status: 204 len: 0', 2),
        line(f'1 "GET /v2.1/servers/{SERVER}" status: 404 len: 0', 3),
        line(f"[instance: {SERVER}] only for developers", 4, "DEBUG"),
    ) == [
        (Happened.ERROR, "Failed to spawn: it broke", 1),
        (Happened.CALLED, f"DELETE /v2.1/servers/{SERVER} 204", 1),
        (Happened.GONE, f"GET /v2.1/servers/{SERVER} 404", 1),
    ]


def test_who_asks_in_turns_is_counted_and_polls_begin_anew_with_another_state() -> None:
    poll = f'1 "GET /v2.1/servers/{SERVER}" status: 200 len: 9'
    states = [f"[instance: {SERVER}] current vm_state: {one}, current task_state: {two}," for one, two in
              (("building", "spawning"), ("building", "spawning"), ("active", "None"))]  # fmt: skip
    told = f"[instance: {SERVER}] Get console output"
    asked = [line(text, at) for at, text in enumerate((poll, told, poll, told, states[0], poll, states[1], states[2]))]
    assert of(*asked) == [
        (Happened.POLLED, f"GET /v2.1/servers/{SERVER} 200", 2),
        (Happened.TOLD, "Get console output", 2),
        (Happened.STATE, "building, spawning", 1),
        (Happened.POLLED, f"GET /v2.1/servers/{SERVER} 200", 1),
        (Happened.STATE, "active", 1),
    ]


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from(list(real()))), max_size=40))
def test_no_line_is_lost_and_steps_are_in_order_whatever_the_order_of_lines(
    lines: list[tuple[float, RequestLine]],
) -> None:
    given_lines = [RequestLine(one.file, one.number, at, one.text) for at, one in lines]
    steps = timeline(SERVER, given_lines)
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert all(step.at <= step.until for step in steps)
    assert timeline(SERVER, reversed(given_lines)) == steps or len({one.at for one in given_lines}) < len(given_lines)
    counted: int = sum(step.times for step in steps if step.happened is not Happened.STATE)
    assert counted <= len(given_lines)
    assert all(isinstance(step, Step) for step in steps)
