# SPDX-License-Identifier: Apache-2.0
"""The page of one file's difference: rows side by side or one below the other, colours, threads at their lines."""
