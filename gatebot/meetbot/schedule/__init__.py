# SPDX-License-Identifier: Apache-2.0
"""When meetings are held: files that people review, exact dates from them, calendars, reminders, agendas."""
