# SPDX-License-Identifier: Apache-2.0
"""Requests that go out of a site to addresses of its settings: made safely, and tried again."""
