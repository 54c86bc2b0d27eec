# SPDX-License-Identifier: Apache-2.0
"""Images among the artifacts of a build: how they are called, kept, and told of.

Imported by the scripts beside it. What reads them is container-index, and jobs that build on them.
"""

from __future__ import annotations

import job
import oci


def name() -> str:
    """What the job calls its image: the last word of the project's name, where it does not say."""
    return job.text("container_name") or str(job.variables()["zuul"]["project"]["short_name"])


def keep(made: oci.Layout, architecture: str) -> None:
    """Leave the image of an architecture as an archive, and tell of it."""
    file, digest = f"{name()}-{architecture}.oci.tar", made.entries[0]["digest"]
    made.write(job.ARTIFACTS / file)
    print(f"{file}: {digest} for linux/{architecture}", flush=True)
    job.artifact(file, file, type="container_image", name=name(), arch=architecture, digest=digest)
