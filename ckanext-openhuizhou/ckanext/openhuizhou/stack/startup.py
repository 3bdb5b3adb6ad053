"""The order in which a stack starts."""

from __future__ import annotations

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.stack import report, site
from ckanext.openhuizhou.stack.ini import site_url
from ckanext.openhuizhou.stack.services import Stack


def services_only(stack: Stack) -> None:
    """What tests and a developer's own ``ckan`` commands need."""
    stack.start_services()
    stack.write_ini(stack.systems())
    stack.prepare_site()
    stack.say(f"services are up; ini: {stack.layout.ini}")


def everything(stack: Stack, *, harvest: bool) -> None:
    """Services, departments, a migrated and seeded site, its servers, a harvest. What was done before is skipped."""
    # asked first: a busy port is no reason to wait for anything else
    stack.check_web_port()
    stack.start_services()
    systems = stack.systems()
    stack.write_ini(systems)
    # the departments generate their data while the database is migrated
    wait_for_departments = stack.start_departments(systems)
    stack.prepare_site()
    site.seed(stack.layout, stack.state, stack.say)
    stack.stop_spare_workers()
    serving = stack.supervisor.start(*stack.servers())
    wait_for_departments()
    all_read = True
    if harvest:
        stack.say("harvesting the departments")
        all_read = site.harvest(stack.layout)
    stack.supervisor.wait(serving)
    stack.say("everything is up\n")
    print(report.published(stack.layout, [one.department for one in systems]))
    addresses = [
        ("portal", site_url(stack.layout)),
        ("accounts", stack.layout.credentials),
        ("logs", stack.layout.logs),
    ]
    print("\n" + "\n".join(f"{name:10}{value}" for name, value in addresses))
    if not all_read:
        raise StackError(
            "not every source could be read; the lines above say which, "
            "and ckan -c {ini} openhuizhou harvest report says why",
            ini=stack.layout.ini,
        )
