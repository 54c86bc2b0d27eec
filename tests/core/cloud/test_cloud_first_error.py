# SPDX-License-Identifier: Apache-2.0
"""The first error of a cloud's services, in lines that real clouds wrote: one that worked and one that did not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

DATA = Path(__file__).parents[2] / "data"
Module = Callable[[str], ModuleType]
#: For each rule of `noise.toml`, by its logger, the line that it is there for.
SEEN = {
    "nova.db.main.api": (
        "nova-compute",
        "2026-11-28 19:14:11.462 2771 ERROR nova.db.main.api [None req-a500eb19-a5c0-4d79-8661-125cee8ea337 - - - - - "
        '-] No DB access allowed in nova-compute:   File "/usr/lib/python3.11/threading.py", line 995, in _bootstrap',
    ),
    "nova.objects.instance": (
        "nova-manage",
        "2026-11-28 23:45:33.518 1371 ERROR nova.objects.instance [None req-786bc826-e44a-4689-872e-1096c6b024eb - - - "
        "- - -] [instance: 00000000-0000-0000-0000-000000000000] Unable to migrate instance because host None with "
        "node None not found: nova.exception.ComputeHostNotFound: Compute host None could not be found.",
    ),
    "oslo_service.periodic_task": (
        "nova-scheduler",
        "2026-11-28 23:45:20.477 1374 ERROR oslo_service.periodic_task [None req-ee05cb9c-ae76-4f26-9d9d-fd14f9852a37 "
        "- - - - - -] Error during SchedulerManager._discover_hosts_in_cells: IndexError: list index out of range",
    ),
    "ovsdbapp.backend.ovs_idl.transaction": (
        "neutron-ovn-maintenance-worker",
        "2026-11-28 20:15:52.025 320 ERROR ovsdbapp.backend.ovs_idl.transaction "
        "[None req-eccf3867-cce5-48d8-999e-f46c446fe9c8 - - - - - -] Traceback (most recent call last):\n"
        '  File "/opt/cloud/venv/lib/python3.11/site-packages/ovsdbapp/backend/ovs_idl/idlutils.py", line 116, in row\n'
        "ovsdbapp.backend.ovs_idl.idlutils.RowNotFound: Cannot find Logical_Router_Port with name=lrp-1861fa08",
    ),
    "oslo.messaging._drivers.impl_rabbit": (
        "nova-compute",
        "2026-11-29 03:09:03.173 156 ERROR oslo.messaging._drivers.impl_rabbit [-] Connection failed: [Errno 110] "
        "Connection timed out (retrying in 1.0 seconds): TimeoutError: [Errno 110] Connection timed out",
    ),
    "nova.scheduler.client.report": (
        "nova-compute",
        "2026-11-29 07:10:41.815 609 ERROR nova.scheduler.client.report [None req-2163c61e-7423-4e78-b429-6de446304c96 "
        "user project - - default default] [req-d8e6ff55-9208-49b0-970e-d578aaf1ab79] Failed to update inventory to "
        "[{'VCPU': {'total': 2, 'min_unit': 1, 'max_unit': 2}}] for resource provider with UUID "
        '6fcc8ab2-de47-4be2-a8f8-3fac0e538f63.  Got 409: {"errors": [{"status": 409, "title": "Conflict", "detail": '
        '"There was a conflict when trying to complete your request.\\n\\n resource provider generation conflict  ", '
        '"code": "placement.concurrent_update"}]}',
    ),
}


def test_of_services_that_failed_one_after_the_other_the_first_one_says_why(module: Module) -> None:
    assert str(module("first_error").read(DATA / "cloud-logs-failed")) == (
        "glance: Glance tried all active locations to get data for image 405ace00-a4d0-45d5-8406-63e30fcd21f8 but all "
        "have failed. (cloud/services/glance.log:1)"
    )


def test_the_logs_of_a_cloud_that_works_have_no_first_error(module: Module) -> None:
    assert module("first_error").read(DATA / "cloud-logs") is None


def test_an_error_on_another_host_is_told_where_the_log_of_that_host_is(module: Module) -> None:
    found = module("first_error").read(DATA / "cloud-logs-failed", "cloud/compute1/services")
    assert str(found).endswith(" (cloud/compute1/services/glance.log:1)")


def test_each_rule_has_a_reason_and_is_for_a_line_that_was_seen(module: Module) -> None:
    first_error = module("first_error")
    rules = first_error.noise(first_error.NOISE.read_text())
    assert {rule.where for rule in rules} == set(SEEN)
    for rule in rules:
        service, line = SEEN[rule.where]
        assert len(rule.reason) > 30
        assert first_error.first_error({service: line.splitlines()}, rules) is None
        assert first_error.first_error({service: line.splitlines()}, ()).service == service
        assert first_error.first_error({f"not-{service}": line.splitlines()}, rules) is not None


def test_options_and_tracebacks_are_no_errors_of_their_own(module: Module) -> None:
    lines = [
        "2026-11-28 18:43:03.8 1 DEBUG x [-] logging_exception_prefix = %(asctime)s ERROR x [-] log_opt_values /x.py:1",
        "2026-11-28 18:43:04.8 1 ERROR x Traceback (most recent call last):",
        "2026-11-28 18:43:05.8 1 CRITICAL x [-] Unhandled error: ValueError: no",
    ]
    found = module("first_error").first_error({"x": lines}, ())
    assert (found.line, found.told) == (3, "Unhandled error: ValueError: no")


def test_an_error_without_a_cause_is_told_with_the_exception_of_its_traceback(module: Module) -> None:
    """As nova-compute logs what it did not foresee; where oslo.log names the exception already, it is told once."""
    begin = "2026-11-29 06:49:11.121 400 ERROR nova.compute.manager "
    lines = [
        begin
        + "[None req-1 user project - - default default] [instance: b5ede601] [req-1 req-2] Instance failed to spawn",
        begin + "[instance: b5ede601] Traceback (most recent call last):",
        begin + '[instance: b5ede601]   File "/nova/virt/libvirt/driver.py", line 5002, in spawn',
        begin + "[instance: b5ede601]     disk_info = self.disk_info_of(instance)",
        begin + "[instance: b5ede601] AttributeError: 'LibvirtDriver' object has no attribute 'disk_info_of'",
        begin + "[instance: b5ede601] ",
        "2026-11-29 06:49:12.121 400 INFO nova.compute.manager [None req-1] [instance: b5ede601] Terminating instance",
    ]
    told = "Instance failed to spawn: AttributeError: 'LibvirtDriver' object has no attribute 'disk_info_of'"
    assert module("first_error").first_error({"nova-compute": lines}, ()).told == told
    named = [f"{lines[0]}: {told.partition(': ')[2]}", *lines[1:]]
    assert module("first_error").first_error({"nova-compute": named}, ()).told == told


def test_what_was_logged_before_the_step_that_failed_counts_only_when_nothing_was_logged_after(module: Module) -> None:
    logs = {
        "cinder": ["2026-11-29 10:41:09.101 9 ERROR cinder.api [None req-1 - -] Unhandled error: PolicyNotRegistered"],
        "nova-compute": [
            "2026-11-29 10:40:01.101 9 ERROR nova.virt [None req-2 - -] something else",
            "2026-11-29 10:49:13.396 9 ERROR nova.virt [None req-3 - -] failed to find romfile",
        ],
        "nova": ["2026-11-29 10:49:20.396 9 ERROR nova.api [None req-3 - -] No valid host was found"],
    }
    first_error = module("first_error").first_error
    assert first_error(logs, (), "2026-11-29 10:46:45").told == "failed to find romfile"
    assert first_error(logs, (), "2026-11-29 11:00:00").told == "something else"
    assert first_error(logs, ()).told == "something else"


def test_a_step_that_failed_leaves_behind_when_it_was_begun(module: Module, tmp_path: Path) -> None:
    timings = module("timings").Timings(tmp_path / "timings.tsv")
    with timings.step("image uploaded"):
        pass
    assert timings.since == ""
    with pytest.raises(OSError, match="no such image"), timings.step("server active"):
        raise OSError("no such image")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", timings.since)
