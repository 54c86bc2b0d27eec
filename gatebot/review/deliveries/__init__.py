# SPDX-License-Identifier: Apache-2.0
"""What goes out of a site: what waits in rows, when it is tried again, and requests that are made safely."""
