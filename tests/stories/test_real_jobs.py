# SPDX-License-Identifier: Apache-2.0
"""Jobs that really run: what a change's tests say is what its people read."""

from __future__ import annotations

import re

from tests.fakes.site import RunningSite, eventually

SHOP = """\
def price(thing):
    return {"bread": 3, "salt": 1}[thing]
"""
TEST_SHOP = """\
import unittest
import shop

class Prices(unittest.TestCase):
    def test_bread(self):
        self.assertEqual(shop.price("bread"), 3)
"""
RECEIPT = """\
import shop

def receipt(*things):
    return sum(shop.price(thing) for thing in things)
"""
TEST_RECEIPT = """\
import unittest
import receipts

class Receipts(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(receipts.receipt("bread", "salt"), 4)
"""
WAITING = """\
- job: {name: slow, run: ci/slow, timeout: 1}
- job: {name: missing, run: ci/nothing}
- project:
    check:
      jobs: [slow, missing]
"""


def test_a_semantic_conflict_leaves_with_the_sentence_that_explains_it(working_site: RunningSite) -> None:
    site = working_site
    ann, bob = site.person("ann"), site.person("bob")
    first = ann.propose("api", "Open the shop", {"shop.py": SHOP, "test_shop.py": TEST_SHOP})
    bob.approve(first)
    ann.sees_merged(first)
    base = site.branch("api")
    renamed = {"shop.py": SHOP.replace("price", "cost"), "test_shop.py": TEST_SHOP.replace("price", "cost")}
    rename = ann.propose("api", "Call it cost", renamed)
    receipts = {"receipts.py": RECEIPT, "test_receipts.py": TEST_RECEIPT}
    receipt = ann.propose("api", "Write receipts", receipts, onto=base)
    for change in (rename, receipt):
        ann.hears(change, "Build succeeded.")
        assert ann.votes(change, "Verified") == {"gatebot": 1}
    bob.approve(rename, receipt)
    ann.sees_merged(rename)
    told = ann.hears(receipt, "Build failed.")
    build = re.findall(r"/build/(\w+)", told)[0]
    log = list(ann.rest.text_lines(f"/logs/{build}/job-output.txt"))
    line = next(number for number, text in enumerate(log, 1) if "AttributeError: " in text)
    assert told == (
        "Patch Set 1: Verified-2\n\n"
        "Build failed.\n\n"
        f"The job unit ended with FAILURE; line {line} of its log says: “AttributeError: "
        "module 'shop' has no attribute 'price'”. The step run ci/unit failed with exit code 1. The job unit passed "
        f"for this patch set alone, and fails on top of the changes ahead of it ({rename}): they collide.\n\n"
        f"- unit {site.url}/build/{build} : FAILURE in 0s"
    )
    assert ann.status(receipt) == "NEW"
    assert "AttributeError: module 'shop' has no attribute 'price'" in "".join(log)


def test_a_new_patch_set_and_recheck_bring_what_collided_in(working_site: RunningSite) -> None:
    ann, bob = working_site.person("ann"), working_site.person("bob")
    work = ann.clone("api")
    work.commit("Open the shop")
    work.put("shop.py", SHOP)
    work.put("test_shop.py", TEST_SHOP.replace("3)", "4)"))
    work.git("add", "-A")
    work.git("commit", "-q", "--amend", "--no-edit")
    change = ann.push(work)
    ann.hears(change, "Build failed.")
    ann.review(change, "recheck")
    eventually(lambda: sum("Build failed." in text for text in ann.said(change)) == 2, "checked twice")
    work.put("test_shop.py", TEST_SHOP)
    work.git("commit", "-aq", "--amend", "--no-edit")
    assert ann.push(work) == change
    bob.approve(change)
    ann.sees_merged(change)
    assert working_site.file("api", "test_shop.py") == TEST_SHOP


def test_a_job_that_takes_too_long_and_one_that_is_missing_are_told(working_site: RunningSite) -> None:
    ann = working_site.person("ann")
    change = ann.propose("api", "Wait", {".zuul.yaml": WAITING, "ci/slow": "#!/bin/sh\nexec sleep 60\n"})
    told = ann.hears(change, "Build failed.")
    slow, missing = re.findall(r"/build/(\w+)", told)
    assert told == (
        "Patch Set 1: Verified-1\n\n"
        "Build failed.\n\n"
        "The job slow ended with TIMED_OUT. The step run ci/slow took longer than its limit of 1 seconds and was "
        "stopped. Make it faster, or raise the `timeout` of the job.\n\n"
        f"- slow {working_site.url}/build/{slow} : TIMED_OUT in 0s\n"
        f"- missing {working_site.url}/build/{missing} : FAILURE\n"
        "  The step run ci/nothing failed with exit code 127. There is no file ci/nothing in api at this commit, or "
        "the node has not the program that its first line (#!) names."
    )
