"""One stack: PostgreSQL, Valkey and Solr with the site's databases and ini."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ckanext.openhuizhou.stack import databases, ini, postgres, site, solr, valkey
from ckanext.openhuizhou.stack.layout import Layout, Secrets, State
from ckanext.openhuizhou.stack.ports import inner_port
from ckanext.openhuizhou.stack.supervisor import Supervisor


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

    def start_services(self) -> None:
        """PostgreSQL, Valkey and Solr serve, the databases exist."""
        if postgres.initialise(self.layout, self.secrets):
            self.state.forget_steps()
        self.supervisor.ensure(
            postgres.part(self.layout, self.secrets, self.port("postgres")),
            valkey.part(self.layout, self.secrets, self.port("valkey")),
            solr.part(self.layout, self.port("solr"), self.say),
        )
        databases.create_site_databases(self.port("postgres"), self.secrets)

    def write_ini(self, allowed_hosts: Sequence[str] = (), allowed_roots: Sequence[str] = ()) -> None:
        """The site's ini, also when ports or templates changed since the last start."""
        ini.write(
            self.layout,
            ini.options(self.layout, self.secrets, self.state.ports(), allowed_hosts, allowed_roots),
        )

    def prepare_site(self) -> None:
        """Translations are compiled, tables are migrated."""
        site.compile_translations()
        site.migrate(self.layout, self.secrets, self.state, self.port("postgres"), self.say)
