# SPDX-License-Identifier: Apache-2.0
"""What `%help` prints: the options of `push_options.py` in the form in which Gerrit lists them.

Text alone; a test compares it with what is understood. Options of Gerrit that mean nothing here are left out.
"""

from __future__ import annotations

LINES = tuple(
    """
Help for refs/for/branch:

 --base BASE                            : merge base of changes
 --cc CC                                : add CC to changes
 --create-cod-token                     : create a token for consistency-on-dema
                                          nd (default: false)
 --deadline NAME                        : deadline after which the push should
                                          be aborted
 --edit (-e)                            : upload as change edit (default: false)
 --hashtag (-t) HASHTAG                 : add hashtag to changes
 --help (-h)                            : display this help text (default: true)
 --ignore-automatic-attention-set-rules : do not change the attention set on
 (-ias, -ignore-attention-set)            this push (default: false)
 --label (-l) LABEL+VALUE               : label(s) to assign (defaults to +1 if
                                          no value provided)
 --merged                               : create single change for a merged
                                          commit (default: false)
 --message (-m) MESSAGE                 : Comment message to apply to the review
 --no-publish-comments (--np)           : do not publish draft comments
                                          (default: false)
 --notify [NONE | OWNER |               : Notify handling that defines to whom
 OWNER_REVIEWERS | ALL]                   email notifications should be sent.
                                          Allowed values are NONE, OWNER,
                                          OWNER_REVIEWERS, ALL. If not set, the
                                          default is ALL.
 --notify-bcc USER                      : user that should be BCC'd one time by
                                          email
 --notify-cc USER                       : user that should be CC'd one time by
                                          email
 --notify-to USER                       : user that should be notified one time
                                          by email
 --private                              : mark new/updated change as private
                                          (default: false)
 --publish-comments                     : publish all draft comments on updated
                                          changes (default: false)
 --ready                                : mark change as ready (default: false)
 --remove-private                       : remove privacy flag from updated
                                          change (default: false)
 --reviewer (-r) REVIEWER               : add reviewer to changes
 --skip-validation                      : skips commit validation (default:
                                          false)
 --submit                               : immediately submit the change
                                          (default: false)
 --topic NAME                           : attach topic to changes
 --trace NAME                           : enable tracing
 --wip (-work-in-progress)              : mark change as work in progress
                                          (default: false)
""".splitlines()
)
