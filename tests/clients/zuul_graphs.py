# SPDX-License-Identifier: Apache-2.0
"""The graphs that Zuul itself freezes: run by the Python of an environment with Zuul 14.3 in it, without ZooKeeper.

    python zuul_graphs.py TENANT-FILE REPOS < cases.json > graphs.json

A case is `[project, pipeline, branch, [files]]`. Zuul's own parser and model do all of the work; stood in for are only
what it reads from (directories instead of mergers), and the item. Secrets are taken as decryptable.
"""

import json
import logging
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from pathlib import Path
from types import SimpleNamespace

import yaml
import zuul.lib.connections
import zuul.lib.encryption
from zuul import configloader, model
from zuul.lib.ansible import AnsibleManager

HOST = "review.example.com"
ROOTS = ("zuul.yaml", "zuul.d", ".zuul.yaml", ".zuul.d")


class Repositories:
    """The directories, as Zuul's connection to a code host; every project has the branches that are given."""

    canonical_hostname = HOST

    def __init__(self, root, connection, branches):
        self.root, self.connection, self.known, self.branches = Path(root), connection, {}, branches

    def getProject(self, name):
        name = name.removeprefix(f"{HOST}/")
        return self.known.setdefault(name, model.Project(name, self))

    def getProjectBranches(self, project, tenant, min_ltime=-1):
        return self.branches.get(project.name, ["master"])

    def getProjectDefaultBranch(self, project, tenant, min_ltime=-1):
        return "master"

    def getProjectMergeModes(self, project, tenant, min_ltime=-1):
        return None

    def getProjectDefaultMergeMode(self, project, valid_modes=None):
        return "merge"

    def files(self, project, branch):
        root = self.root / project
        wanted = [path for top in ROOTS for path in (root / top, *(root / top).rglob("*.yaml")) if path.is_file()]
        return {str(path.relative_to(root)): path.read_text() for path in wanted}


class Parser(configloader.TenantParser):
    """Zuul's parser of tenants, reading from directories."""

    repositories = None

    def _cacheTenantYAML(self, abide, tenant, parse_context, min_ltimes, executor, ignore_cat_exception=True):
        for tpc in tenant.all_tpcs:
            project = tpc.project
            for branch in tenant.getProjectBranches(project.canonical_name):
                context = model.SourceContext(project.canonical_name, project.name, project.connection_name, branch, "")
                files = self.repositories.files(project.name, branch)
                with parse_context.errorContext(source_context=context):
                    self._updateConfigObjectCache(abide, tenant, context, files, parse_context, 1, None)

    def createManager(self, parse_context, pipeline, tenant):
        return SimpleNamespace(pipeline=pipeline, tenant=tenant, getFallbackLayout=lambda item: None)


class Connections(zuul.lib.connections.ConnectionRegistry):
    source = None

    def getSource(self, connection_name):
        real = super().getSource(connection_name)
        if self.source is None:
            return real
        self.source.getRequireFilters, self.source.getRejectFilters = real.getRequireFilters, real.getRejectFilters
        return self.source


def load(tenant_file, root, branches):
    """The tenant of a file, its layout made by Zuul."""
    config = ConfigParser()
    config.read_string(
        f"[connection gerrit]\ndriver=gerrit\nserver={HOST}\nuser=zuul\nsshkey=none\n"
        "[connection smtp]\ndriver=smtp\nserver=localhost\nport=25\n"
        "default_from=a@example.com\ndefault_to=b@example.com\n"
    )
    connections = Connections()
    connections.configure(config, sources=True, triggers=True, reporters=True)
    connections.source = Repositories(root, connections.connections["gerrit"], branches)
    key, _ = zuul.lib.encryption.generate_rsa_keypair()
    keys = SimpleNamespace(
        getProjectSecretsKeys=lambda *_: (key, key.public_key()),
        getProjectSSHKeys=lambda *_: ("", ""),
        getTenantSSHKeys=lambda *_: ("", ""),
    )
    globals_ = SimpleNamespace(
        web_root="",
        default_ansible_version=None,
        oidc_default_signing_algorithm="RS256",
        oidc_supported_signing_algorithms=["RS256"],
    )
    parser = Parser(connections, None, None, None, keys, globals_, None, None)
    parser.repositories = connections.source
    model.Secret.decrypt = lambda self, private_key: self
    model.COMPONENT_REGISTRY.registry = SimpleNamespace(model_api=10**6)
    conf = next(item["tenant"] for item in yaml.safe_load(Path(tenant_file).read_text()) if "tenant" in item)
    abide = model.Abide()
    registry = model.TenantTPCRegistry()
    with ThreadPoolExecutor(max_workers=2) as executor:
        trusted, untrusted = parser.loadTenantProjects(conf, executor)
        for tpc in trusted:
            registry.addConfigTPC(tpc)
        for tpc in untrusted:
            registry.addUntrustedTPC(tpc)
        abide.setTPCRegistry(conf["name"], registry)
        configloader.model.SemaphoreHandler = lambda *args, **options: SimpleNamespace(
            getSemaphoreInfo=lambda semaphore: {"name": semaphore.name, "global": False, "max": 1}
        )
        configloader.SemaphoreHandler = configloader.model.SemaphoreHandler
        return parser.fromYaml(abide, conf, AnsibleManager(), executor, SimpleNamespace(system_id="x"))


class Item(SimpleNamespace):
    """As much of a queue item as freezing asks for."""

    updatesJobConfig = model.QueueItem.updatesJobConfig

    def annotateLogger(self, log):
        return log

    def getChangeForJob(self, job):
        return self.changes[0]


def item(tenant, pipeline, project, branch, files):
    change = model.Change(tenant.getProject(project)[1])
    change.branch, change.ref = branch, "refs/changes/01/1/1"
    change.number = change.patchset = 1
    change.cache_stat = SimpleNamespace(key=SimpleNamespace(reference="change"))
    change.files = files
    made = Item(changes=[change], debug=False, event=None, parameters=None, log=logging.getLogger("item"))
    made.current_build_set = SimpleNamespace(fail_fast=None, jobs={}, debug_messages=[], item=made, _old_job_graph=None)
    made.manager = tenant.layout.pipeline_managers[pipeline]
    made.manager.tenant = tenant
    return made


def shown(job):
    """What is compared of a frozen job."""
    nodeset = job.nodeset_alternatives[0] if job.nodeset_alternatives else None
    above = [re.match(r"<Job (\S+) ", one).group(1) for one in job.inheritance_path]
    return {
        "name": job.name,
        "voting": job.voting,
        "dependencies": sorted([dependency.name, dependency.soft] for dependency in job.dependencies),
        "nodeset": [[list(node.name), node.label] for node in nodeset.getNodes()] if nodeset else [],
        "groups": [[group.name, list(group.nodes)] for group in nodeset.getGroups()] if nodeset else [],
        "nodeset_names": [one.name or "" for one in job.nodeset_alternatives],
        "timeout": job.timeout,
        "pre_timeout": job.pre_timeout,
        "post_timeout": job.post_timeout,
        "attempts": job.attempts,
        "parents": [name for name in dict.fromkeys(above) if name != job.name],
        "required_projects": sorted(
            [
                name.removeprefix(f"{HOST}/"),
                required.override_checkout or job.override_checkout or job.override_branch or "",
            ]
            for name, required in job.required_projects.items()
        ),
        "playbooks": [
            [kind, book["project"], book["path"], sorted(book["secrets"])]
            for kind in ("pre_run", "run", "post_run", "cleanup_run")
            for book in getattr(job, kind)
        ],
        "variables": json.loads(
            json.dumps([job.variables, job.extra_variables, job.host_variables, job.group_variables], default=str)
        ),
        "semaphores": sorted(one.name for one in job.semaphores),
        "tags": sorted(job.tags),
        "provides": sorted(job.provides),
        "requires": sorted(job.requires),
        "hold_following": job.hold_following_changes,
        "deduplicate": job.deduplicate,
    }


def main():
    logging.disable(logging.CRITICAL)
    tenant_file, root = sys.argv[1:3]
    given = json.load(sys.stdin)
    tenant = load(tenant_file, root, given.get("branches", {}))
    layout = tenant.layout
    answers = {}
    for project, pipeline, branch, files in given["cases"]:
        key = json.dumps([project, pipeline, branch, files])
        if pipeline not in layout.pipeline_managers:
            answers[key] = {"pipeline": None}
            continue
        one = item(tenant, pipeline, project, branch, files)
        if layout.getProjectPipelineConfig(one, one.changes[0]) is None:
            answers[key] = {"configured": False}
            continue
        try:
            graph = layout.createJobGraph(None, one, None, False, True)["job_graph"]
            answers[key] = {"jobs": [shown(job) for job in graph.getJobs()]}
        except Exception as problem:
            answers[key] = {"error": f"{type(problem).__name__}: {problem}"}
    json.dump(
        {
            "errors": [
                [error.key.context.project_name if error.key.context else "", str(error.error).splitlines()[:12]]
                for error in layout.loading_errors.errors
            ],
            "pipelines": list(layout.pipeline_managers),
            "jobs": len(layout.jobs),
            "variants": sum(map(len, layout.jobs.values())),
            "answers": answers,
        },
        sys.stdout,
        indent=1,
    )


if __name__ == "__main__":
    main()
