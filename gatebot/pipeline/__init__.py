# SPDX-License-Identifier: Apache-2.0
"""The pipeline room: configuration, queues, speculation, reports.

What Zuul's scheduler and merger do. It never imports another room: it meets them through events,
the hall's values, and the Protocols in `ports.py`.
"""
