# SPDX-License-Identifier: Apache-2.0
"""What a tenant consists of, shown: its projects, jobs, keys, semaphores, errors, and what a change would run.

Reads only. `service.py` looks up and asks who may, `rest.py` answers below `/api/tenant/NAME/` in the words of Zuul's
REST, so that Zuul's clients work; `pages.py` shows the same to people.
"""
