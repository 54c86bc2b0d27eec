# SPDX-License-Identifier: Apache-2.0
"""Servers of an OpenStack cloud as nodes: what is asked of the cloud, what its answers mean, whom we believe."""
