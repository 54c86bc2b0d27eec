# SPDX-License-Identifier: Apache-2.0
"""The executor's room: nodes, workspaces, runs and logs of builds. It knows no database and no other room."""
