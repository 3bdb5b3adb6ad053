"""The production files, as far as they can be checked without a container engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import crossplane
import pytest
import yaml

ROOT = Path(__file__).parents[3]
DOCKER = ROOT / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@pytest.fixture(scope="module")
def secrets_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "secrets"
    subprocess.run([DOCKER / "make-secrets.sh", folder], check=True)
    return folder


class TestCompose:
    @pytest.mark.parametrize("name", ["compose.yaml", "compose.tls.yaml"])
    def test_is_valid_under_the_compose_specification(self, name: str):
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", DOCKER / name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout

    def test_the_named_services_are_there(self):
        assert {"ckan", "worker", "postgres", "valkey", "solr", "nginx"} <= set(SERVICES)

    def test_each_department_is_a_service_of_profile_demo(self):
        declared = yaml.safe_load((DOCKER / "departments" / "departments.yaml").read_text("utf-8"))
        names = {entry["name"] for entry in declared["departments"]}
        assert names <= {name for name, service in SERVICES.items() if service.get("profiles") == ["demo"]}

    def test_departments_run_scripts_that_exist(self):
        for service in SERVICES.values():
            if service.get("image", "").startswith("openhuizhou-departments"):
                assert (DOCKER / "departments" / service["command"][0]).is_file(), service["command"]

    @pytest.mark.parametrize("name", sorted(SERVICES))
    def test_each_service_ends_its_privileges_and_comes_back(self, name: str):
        service = SERVICES[name]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["restart"] in {"unless-stopped", "on-failure"}

    @pytest.mark.parametrize("name", sorted(SERVICES))
    def test_each_lasting_service_says_whether_it_is_healthy(self, name: str):
        if SERVICES[name]["restart"] == "unless-stopped":
            # The image's own check serves where the service gives none.
            assert "test" in SERVICES[name].get("healthcheck", {}) or name == "ckan"

    def test_only_nginx_is_reached_from_outside(self):
        assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
        assert COMPOSE["networks"]["inner"]["internal"] is True

    def test_only_prepare_and_the_server_know_the_superuser(self):
        knowing = {name for name, service in SERVICES.items() if "postgres_superuser" in service.get("secrets", [])}
        assert knowing == {"prepare", "postgres"}

    def test_no_password_is_written_into_the_file(self):
        for service in SERVICES.values():
            for name, value in service.get("environment", {}).items():
                secret = re.search(r"PASSWORD|TOKEN|SECRET|KEY", name) and not name.endswith("_FILE")
                assert not secret, f"{name}={value}"

    def test_volumes_secrets_and_networks_are_declared_and_used(self):
        used = {"secrets": set(), "networks": set(), "volumes": set()}
        for service in SERVICES.values():
            used["secrets"] |= set(service.get("secrets", []))
            used["networks"] |= set(service["networks"])
            used["volumes"] |= {v.split(":")[0] for v in service.get("volumes", []) if v[0] not in "./"}
        for kind, names in used.items():
            assert names == set(COMPOSE[kind])

    def test_mounted_files_exist(self):
        for service in SERVICES.values():
            for volume in service.get("volumes", []):
                if volume.startswith("."):
                    assert (DOCKER / volume.split(":")[0]).exists(), volume


class TestSecrets:
    def test_every_secret_of_the_compose_file_is_made(self, secrets_folder: Path):
        for declared in COMPOSE["secrets"].values():
            assert (secrets_folder / Path(declared["file"]).name).stat().st_size > 30

    def test_every_variable_of_the_sources_is_filled_in(self, secrets_folder: Path):
        given = json.loads((secrets_folder / "source_variables").read_text("utf-8"))
        named = {
            name
            for path in (ROOT / "config" / "sources").rglob("*.yaml")
            for name in re.findall(r"\$\{([^}]+)\}", path.read_text("utf-8"))
        }
        assert named
        assert named == set(given)

    def test_only_the_owner_gets_into_the_folder(self, secrets_folder: Path):
        assert stat.S_IMODE(secrets_folder.stat().st_mode) == 0o700

    def test_a_second_call_keeps_what_is_there(self, secrets_folder: Path):
        before = {path.name: path.read_text() for path in secrets_folder.iterdir()}
        subprocess.run([DOCKER / "make-secrets.sh", secrets_folder], check=True)
        assert {path.name: path.read_text() for path in secrets_folder.iterdir()} == before

    def test_the_folder_is_never_committed(self):
        ignored = subprocess.run(["git", "check-ignore", "-q", "docker/secrets/secret_key"], cwd=ROOT, check=False)
        assert ignored.returncode == 0


class TestDockerfile:
    TEXT = (DOCKER / "Dockerfile").read_text("utf-8")

    def test_the_last_stage_runs_as_nobody_special(self):
        assert re.search(r"^USER 10001$", self.TEXT.split("FROM ")[-1], re.MULTILINE)

    def test_builds_the_wheel_with_the_lock_and_compiled_translations(self):
        build = self.TEXT.split("FROM ")[1]
        assert "pybabel compile" in build
        assert "/opt/venv/lib/python3.11/" in build
        assert self.TEXT.count("FROM python:3.11-") == 2
        assert "uv build --wheel" in build
        assert "--constraint requirements.lock" in build

    def test_copies_only_what_exists_and_is_let_through(self):
        ignore = (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").split()
        for line in re.findall(r"^COPY (?!--from)(.+)$", self.TEXT, re.MULTILINE):
            for source in line.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in ignore, source


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name, follow_symlinks=False)
    subprocess.run(["uv", "build", "-q", "--wheel", "--out-dir", out], cwd=source, env=_with_venv(), check=True)
    return set(zipfile.ZipFile(next(out.glob("*.whl"))).namelist())


class TestWheel:
    """What the image installs, built from the tracked files alone."""

    @pytest.mark.parametrize(
        "name",
        [
            "plugin.py",
            "config_declaration.yaml",
            "harvesters/__init__.py",
            "schemas/dataset.yaml",
            "schemas/code_lists/open_types.yaml",
            "migration/openhuizhou/versions/0001_catalogue.py",
            "i18n/zh_Hans_CN/LC_MESSAGES/ckanext-openhuizhou.po",
        ],
    )
    def test_holds_code_and_data_under_one_package(self, names: set[str], name: str):
        assert f"ckanext/openhuizhou/{name}" in names

    def test_holds_templates_and_assets(self, names: set[str]):
        assert any(name.startswith("ckanext/openhuizhou/templates/") for name in names)
        assert "ckanext/openhuizhou/assets/webassets.yml" in names

    def test_holds_nothing_else(self, names: set[str]):
        others = [n for n in names if not n.startswith(("ckanext/openhuizhou/", "ckanext_openhuizhou-"))]
        assert not others
        assert not [name for name in names if name.endswith(".pyc")]


def _with_venv() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


class TestNginx:
    @pytest.mark.parametrize("server", ["http.conf", "tls.conf"])
    def test_parses_with_known_directives_in_allowed_places(self, server: str, tmp_path: Path):
        (tmp_path / "servers").mkdir()
        (tmp_path / "mime.types").write_text("types { text/html html; }")
        pairs = {"nginx.conf": "nginx.conf", "portal.conf": "portal.conf", server: f"servers/{server}"}
        for source, target in pairs.items():
            text = (DOCKER / "nginx" / source).read_text("utf-8").replace("/etc/nginx/", f"{tmp_path}/")
            # crossplane's table of directives is older than nginx 1.25, where this one is new.
            (tmp_path / target).write_text(text.replace("http2 on;", ""))
        parsed = crossplane.parse(str(tmp_path / "nginx.conf"), strict=True)
        # Its strict mode takes the pairs inside of map and types for directives.
        pairs_of_blocks = re.compile(r'unknown directive "(default|https|text/html|\*|~\^.*)"')
        assert not [error for error in parsed["errors"] if not pairs_of_blocks.search(error["error"])]
        assert len(parsed["config"]) == 4

    @pytest.mark.parametrize(
        ("address", "large"),
        [
            ("/api/3/action/resource_create", True),
            ("/api/action/resource_patch", True),
            ("/dataset/211001-1/resource/new", True),
            ("/en/dataset/211001-1/resource/0f-1a/edit", True),
            ("/api/3/action/package_create", False),
            ("/dataset/new", False),
            ("/dataset", False),
            ("/dataset/211001-1", False),
            ("/dataset/211001-1/resource/0f-1a/download/a.csv", False),
            ("/application/app-1/resource/new", False),
        ],
    )
    def test_takes_large_bodies_only_where_officers_upload(self, address: str, large: bool):
        parsed = crossplane.parse(str(DOCKER / "nginx" / "portal.conf"), check_ctx=False)
        regexes = [
            (block["args"][1], {line["directive"]: line["args"] for line in block["block"]})
            for block in parsed["config"][0]["parsed"]
            if block["directive"] == "location" and block["args"][0] in {"~", "^~"}
        ]
        sizes = [lines.get("client_max_body_size") for regex, lines in regexes if re.search(regex, address)]
        assert bool(sizes and sizes[0] == ["200m"]) is large

    @pytest.mark.parametrize(
        ("address", "framed"),
        [
            ("/dataset/211001-1/resource/0f-1a/table?1", True),
            ("/en/dataset/211001-1/resource/0f-1a/chart?1", True),
            ("/dataset/211001-1/resource/0f-1a/map?1", True),
            ("/dataset/211001-1/resource/0f-1a/table?", False),
            ("/dataset/211001-1/resource/0f-1a/table?11", False),
            ("/dataset/211001-1/resource/0f-1a/load?1", False),
            ("/user/login?1", False),
            ("/user/login/dataset/a/resource/b/table?1", False),
            ("/dataset/211001-1/edit?1", False),
        ],
    )
    def test_only_tables_charts_and_maps_stand_in_other_sites_pages(self, address: str, framed: bool):
        parsed = crossplane.parse(str(DOCKER / "nginx" / "nginx.conf"), check_ctx=False, single=True)
        http = next(block for block in parsed["config"][0]["parsed"] if block["directive"] == "http")["block"]
        chosen = next(b["block"] for b in http if b["directive"] == "map" and b["args"][1] == "$frame_ancestors")
        patterns = {line["directive"].removeprefix("~"): line["args"] for line in chosen if line["directive"][0] == "~"}
        assert [args for pattern, args in patterns.items() if re.search(pattern, address)] == (
            [["*"]] if framed else []
        )

    def test_names_the_service_and_the_port_of_the_compose_file(self):
        assert "server ckan:5000;" in (DOCKER / "nginx" / "nginx.conf").read_text("utf-8")
        assert '"0.0.0.0:5000"' in (DOCKER / "ckan" / "gunicorn.conf.py").read_text("utf-8")
