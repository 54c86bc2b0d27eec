# SPDX-License-Identifier: Apache-2.0
"""A whole OpenStack on one node, from the repositories of a build, inside namespaces of its own.

`options`, `ini` and `configs` are pure and need nothing but Python; the other modules act, and run with the
interpreter of the environment that the services are installed in (`openstacksdk` is part of it).
"""
