# SPDX-License-Identifier: Apache-2.0
"""Copies of the hosted repositories elsewhere: what moves here is pushed to any git server by its address."""
