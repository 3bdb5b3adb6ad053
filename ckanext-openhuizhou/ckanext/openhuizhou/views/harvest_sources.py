"""For officials: the sources at a glance, one source, its form, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import ckan.plugins.toolkit as tk
from flask import Blueprint
from werkzeug.wrappers import Response

from ckanext.openhuizhou.logic.harvest_access import is_platform_officer

from .actions import call, done, need, page_numbers, page_of, sentences
from .harvest_form import CUSTOM, SCHEDULES, SourceForm
from .harvest_waiting import waiting

blueprint = Blueprint("openhuizhou_harvests", __name__, url_prefix="/harvest")

RUNS_PER_PAGE: Final = 20
RUNS_OF_A_SOURCE: Final = 10
LATEST_CHANGES: Final = 10
HEALTH: Final = ("failing", "late", "held", "unapproved", "new", "paused", "ok")


@blueprint.route("/", endpoint="index")
def index() -> str:
    """What waits for the reader, each source that he may see, then the latest runs of all."""
    sources = call("openhuizhou_source_list")
    runs = call("openhuizhou_harvest_run_list", page_of(RUNS_PER_PAGE))
    asked = {name: tk.request.args.get(name, "") for name in ("department", "health")}
    shown = [
        source
        for source in sources
        if asked["department"] in ("", source["organization_id"]) and asked["health"] in ("", source["health"])
    ]
    counts = {health: sum(source["health"] == health for source in sources) for health in HEALTH}
    extra = {
        "sources": sorted(shown, key=lambda source: (HEALTH.index(source["health"]), source["title"])),
        "all_sources": sources,
        "departments": dict(sorted(_departments(sources), key=lambda pair: pair[1])),
        "kinds": {kind["name"]: kind["title"] for kind in call("openhuizhou_source_kinds")},
        "counts_by_health": {health: count for health, count in counts.items() if count},
        "asked": asked,
        "waiting": waiting(sources),
        "runs": runs["results"],
        "page": page_numbers(runs["count"], RUNS_PER_PAGE),
    }
    return tk.render("openhuizhou/harvest/index.html", extra)


@blueprint.route("/source/new", methods=["GET", "POST"], endpoint="new")
def new() -> Response | str:
    """First the kind is chosen, then its form is filled in; what is typed can be tried before it is saved."""
    need("openhuizhou_source_create", {})
    kinds = call("openhuizhou_source_kinds")
    kind = next((each for each in kinds if each["name"] == tk.request.args.get("kind")), None)
    if kind is None:
        return tk.render("openhuizhou/harvest/kinds.html", {"kinds": kinds})
    if tk.request.method == "GET":
        starter = "" if kind.get("default_mapping") else tk.render("openhuizhou/harvest/_starter.html")
        return _form(SourceForm.blank(kind, starter, **_only_organization()))
    return _sent(SourceForm.typed(kind, None), "openhuizhou_source_create", tk._("The source is saved"))


@blueprint.route("/source/<id>", endpoint="source")
def source(id: str) -> str:  # noqa: A002 - CKAN's name of the parameter
    """One source: how it is, what it is set to, its runs."""
    shown = call("openhuizhou_source_show", {"id": id})
    runs = call("openhuizhou_harvest_run_list", {"source_id": shown["id"], **page_of(RUNS_OF_A_SOURCE)})
    extra = {
        "source": shown,
        "kind": _kind(shown["kind"]),
        "fields": SourceForm.stored(_kind(shown["kind"]), shown).fields(),
        "runs": runs["results"],
        "page": page_numbers(runs["count"], RUNS_OF_A_SOURCE),
        "changes": call("openhuizhou_source_change_list", {"id": shown["id"], "limit": LATEST_CHANGES})["results"],
    }
    return tk.render("openhuizhou/harvest/source.html", extra)


@blueprint.route("/source/<id>/edit", methods=["GET", "POST"], endpoint="edit")
def edit(id: str) -> Response | str:  # noqa: A002
    """The form of a source that is there already."""
    need("openhuizhou_source_patch", {"id": id})
    shown = call("openhuizhou_source_show", {"id": id})
    kind = _kind(shown["kind"])
    if tk.request.method == "GET":
        return _form(SourceForm.stored(kind, shown))
    return _sent(SourceForm.typed(kind, shown), "openhuizhou_source_patch", tk._("The source is saved"))


@blueprint.route("/source/<id>/run", methods=["POST"], endpoint="start")
def start(id: str) -> Response:  # noqa: A002
    """Start a run in the background and show it."""
    mode = tk.request.form.get("mode", "normal")
    try:
        started = call("openhuizhou_harvest_run", {"source_id": id, "mode": mode})
    except tk.ValidationError as error:
        for sentence in sentences(error):
            tk.h.flash_error(sentence)
        return tk.redirect_to("openhuizhou_harvests.source", id=id)
    return tk.redirect_to("openhuizhou_harvest_runs.run", id=started["id"])


@blueprint.route("/source/<id>/approve", methods=["POST"], endpoint="approve")
def approve(id: str) -> Response:  # noqa: A002
    """A platform officer takes responsibility for the source's settings and mapping."""
    asked = {"id": id, "modified": tk.request.form.get("modified", "")}
    done("openhuizhou_source_approve", asked, tk._("The source is approved"))
    return tk.redirect_to("openhuizhou_harvests.source", id=id)


@blueprint.route("/source/<id>/schedule", methods=["POST"], endpoint="schedule")
def schedule(id: str) -> Response:  # noqa: A002
    """Stop starting it by its schedule, or start again."""
    active = tk.request.form.get("active") == "true"
    message = tk._("The schedule counts again") if active else tk._("The schedule is paused")
    done("openhuizhou_source_patch", {"id": id, "active": active}, message)
    return tk.redirect_to("openhuizhou_harvests.source", id=id)


@blueprint.route("/source/<id>/delete", methods=["GET", "POST"], endpoint="delete")
def delete(id: str) -> Response | str:  # noqa: A002
    """Ask first; then the source, its runs and its records go."""
    need("openhuizhou_source_delete", {"id": id})
    shown = call("openhuizhou_source_show", {"id": id})
    if tk.request.method == "GET":
        return tk.render("openhuizhou/harvest/delete.html", {"source": shown})
    message = tk._("The source “{title}” is deleted").format(title=shown["title"])
    if done("openhuizhou_source_delete", {"id": id}, message) is None:
        return tk.redirect_to("openhuizhou_harvests.source", id=id)
    return tk.redirect_to("openhuizhou_harvests.index")


def _sent(form: SourceForm, action: str, message: str) -> Response | str:
    """Save the form, or try what stands in it."""
    wanted = tk.request.form.get("do", "save")
    if wanted in ("test", "preview"):
        return _tried(form, wanted)
    if not form.errors:
        try:
            saved = call(action, form.source_dict())
        except tk.ValidationError as error:
            form.refuse(error)
        else:
            tk.h.flash_success(message)
            return tk.redirect_to("openhuizhou_harvests.source", id=saved["name"])
    return _form(form)


def _tried(form: SourceForm, wanted: str) -> str:
    """The result of a test or a preview, alone for htmx, else in the page."""
    result = None
    if not form.errors:
        action = "openhuizhou_source_test" if wanted == "test" else "openhuizhou_source_preview"
        try:
            result = call(action, form.draft())
        except tk.ValidationError as error:
            form.refuse(error)
    tried = {"wanted": wanted, "result": result, "errors": form.errors}
    if tk.request.htmx:
        return tk.render("openhuizhou/harvest/_tried.html", {"tried": tried, "form": form})
    return _form(form, tried)


def _form(form: SourceForm, tried: Mapping[str, Any] | None = None) -> str:
    values = form.values
    choice = values.get("schedule_choice") or values.get("schedule", "")
    extra = {
        "form": form,
        "fields": form.fields(),
        "tried": tried,
        "schedules": SCHEDULES,
        "schedule_choice": choice if choice in ("", *SCHEDULES) else CUSTOM,
        "custom": CUSTOM,
        "organizations": tk.h.openhuizhou_providers(values.get("organization_id")),
        "may_rank": is_platform_officer({"user": tk.current_user.name}),
    }
    return tk.render("openhuizhou/harvest/form.html", extra)


def _kind(name: str) -> dict[str, Any]:
    """A kind of source with its options; one that is no longer there has none."""
    kinds = call("openhuizhou_source_kinds")
    return next((each for each in kinds if each["name"] == name), {"name": name, "title": name, "options": []})


def _only_organization() -> dict[str, str]:
    organizations = tk.h.openhuizhou_providers(None)
    return {"organization_id": organizations[0]["value"]} if len(organizations) == 1 else {}


def _departments(sources: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(source["organization_id"], source["organization_title"]) for source in sources}
