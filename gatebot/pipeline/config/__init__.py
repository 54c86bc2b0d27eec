# SPDX-License-Identifier: Apache-2.0
"""Zuul's configuration language: read, checked, laid out, frozen.

    text --yaml--> nodes with lines --schema--> errors, all at once --parse--> objects
    objects of a tenant --layout--> Layout --freeze--> the jobs of one item, and why the others do not run

Everything but `loader.py`, which reads git, is pure.
"""
