#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Job container-index: joins the images that the jobs before it made, one an architecture, into one OCI index."""

from __future__ import annotations

import job
import oci


def main() -> None:
    """Fetch, compare with the digests, join, tell; an image of each name."""
    found: dict[str, dict[str, oci.Layout]] = {}
    for about, url in job.artifacts("container_image"):
        try:
            one = oci.Layout.load(job.fetched(url))
        except oci.Damaged as error:
            job.fail(str(error))
        if one.entries[0]["digest"] != about["digest"]:
            job.fail(f"{url} is not the image {about['digest']} that its job told of.")
        found.setdefault(about["name"], {})[about["arch"]] = one
    if not found:
        job.fail("no job before this one made an image. Give it `dependencies: [container-image]`.")
    for name, images in found.items():
        made = oci.joined(name, images.values())
        made.write(job.ARTIFACTS / f"{name}.oci.tar")
        digest = made.entries[0]["digest"]
        print(f"{name}.oci.tar: {digest} for {', '.join(f'linux/{arch}' for arch in sorted(images))}")
        job.artifact(f"{name}.oci.tar", f"{name}.oci.tar", type="container_index", name=name, digest=digest)


main()
