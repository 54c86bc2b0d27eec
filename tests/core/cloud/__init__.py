# SPDX-License-Identifier: Apache-2.0
"""The pure parts of the jobs that bring up a cloud."""
