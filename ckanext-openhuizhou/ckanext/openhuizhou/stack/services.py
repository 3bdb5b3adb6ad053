"""One stack: what runs in it, in which order it starts, and with which addresses."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.stack import databases, departments, ini, postgres, servers, site, solr, valkey
from ckanext.openhuizhou.stack.departments import Filled
from ckanext.openhuizhou.stack.layout import Layout, Secrets, State
from ckanext.openhuizhou.stack.ports import HOST, inner_port, is_free
from ckanext.openhuizhou.stack.process import Part
from ckanext.openhuizhou.stack.supervisor import Started, Supervisor


class Stack:
    """What belongs to one data folder."""

    def __init__(self, layout: Layout, say: Callable[[str], None]) -> None:
        layout.create()
        self.layout = layout
        self.say = say
        self.state = State(layout.data / "state.json")
        self.secrets = Secrets(layout.data / "secrets.json")
        self.supervisor = Supervisor(layout, say)

    def port(self, name: str) -> int:
        """The port of an inner part; a new one when another program took the old one."""
        return inner_port(self.state, name, running=self.supervisor.running(name) is not None)

    # services

    def services(self) -> list[Part]:
        """PostgreSQL, Valkey and Solr."""
        return [
            postgres.part(self.layout, self.secrets, self.port("postgres")),
            valkey.part(self.layout, self.secrets, self.port("valkey")),
            solr.part(self.layout, self.port("solr"), self.say),
        ]

    def start_services(self) -> None:
        """The services serve, the databases exist."""
        new_database = postgres.initialise(self.layout, self.secrets)
        if new_database:
            self.state.forget_steps()
        if self.supervisor.running("postgres") is None:
            self.supervisor.stop("postgres", self.services()[0])
            postgres.forget_dead_server(self.layout)
        # an index of another database or of another schema is worth nothing
        if changed := [core for core in solr.cores(self.layout) if new_database or solr.outdated(self.layout, core)]:
            self.supervisor.stop("solr")
            for core in changed:
                solr.lay_out(self.layout, core)
        self.supervisor.ensure(*self.services())
        databases.create_site_databases(self.port("postgres"), self.secrets)

    # departments

    def systems(self) -> list[Filled]:
        """The demo departments with their ports, tokens and databases."""
        filled = []
        for department in departments.load(self.layout.project):
            port = self.port(department.part_name) if department.mode == "service" else None
            own = department.database
            dsn = (
                databases.url(own["role"], self.secrets[own["role"]], self.port("postgres"), own["name"]) if own else ""
            )
            token = self.secrets[f"department_{department.name}_token"]
            site = self._site(department.name, department.site["redis"]) if department.site else {}
            filled.append(departments.fill(department, self.layout, port=port, token=token, dsn=dsn, site=site))
        return filled

    def _site(self, name: str, redis: int) -> dict[str, str]:
        """What a plain CKAN site of the demo has of its own in the services."""
        return {
            **databases.plain_site_urls(self.port("postgres"), self.secrets, name),
            "solr": solr.url(self.port("solr"), name),
            "redis": valkey.url(self.port("valkey"), self.secrets["valkey"], redis),
            "secret": self.secrets[f"site_{name}"],
        }

    def start_departments(self, systems: list[Filled]) -> Callable[[], None]:
        """Start the departments' systems; the returned function waits until all serve or are filled."""
        departments.write_variables(self.layout, systems)
        started: list[Started] = []
        filling: list[tuple[Filled, subprocess.Popen[bytes]]] = []
        for filled in systems:
            own = filled.department.database
            if own:
                databases.create_department_database(self.port("postgres"), self.secrets, own["role"], own["name"])
            if filled.department.site:
                databases.create_plain_site(self.port("postgres"), self.secrets, filled.department.name)
            if filled.department.mode == "service":
                started += self.supervisor.start(departments.part(filled, self.layout.project))
            else:
                filling.append((filled, departments.start_once(filled, self.layout)))

        def wait() -> None:
            self.supervisor.wait(started)
            for filled, running in filling:
                departments.finish_once(filled, running, self.layout)

        return wait

    # the site

    def write_ini(self, systems: list[Filled]) -> None:
        """The site's ini, also when ports or templates changed since the last start."""
        hosts = [f"{HOST}:{filled.port}" for filled in systems if filled.port]
        if any(filled.department.database for filled in systems):
            hosts.append(f"{HOST}:{self.port('postgres')}")
        roots = [str(self.layout.departments)] if systems else []
        own = ini.options(self.layout, self.secrets, self.state.ports(), hosts, roots)
        ini.write(self.layout, own)

    def prepare_site(self) -> None:
        """Translations are compiled, tables are migrated."""
        # first: CKAN's commands load the compiled translations
        site.compile_translations()
        site.migrate(self.layout, self.secrets, self.state, self.port("postgres"), self.say)
        site.translate(self.layout, self.state, self.say)
        site.index(self.layout, self.state, solr.our_core(self.layout).digest, self.say)

    def check_web_port(self) -> None:
        """The port that people know is ours or free.

        :raises StackError: another program has it; no other port is taken instead
        """
        if self.supervisor.running("web") is not None:
            return
        # children of a killed server keep its port
        self.supervisor.stop("web")
        if not is_free(self.layout.web_port):
            raise StackError(
                "port {port} is used by another program; stop it, or choose a port with OPENHUIZHOU_PORT",
                port=self.layout.web_port,
            )

    def servers(self) -> list[Part]:
        """Web server, job workers and scheduler."""
        settings = site.code_fingerprint(self.layout)
        valkey_port = self.port("valkey")
        return [
            servers.web(self.layout, settings),
            *(
                servers.worker(self.layout, self.secrets, valkey_port, settings, name)
                for name in servers.worker_names()
            ),
            servers.scheduler(self.layout, self.secrets, self.port("postgres"), settings),
        ]

    def stop_spare_workers(self) -> None:
        """Workers of an earlier start that had more of them."""
        for name in self.supervisor.known():
            if name.startswith("worker-") and name not in servers.worker_names() and self.supervisor.stop(name):
                self.say(f"stopped {name}")
