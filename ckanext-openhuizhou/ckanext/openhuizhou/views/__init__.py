"""The pages of ours; CKAN registers every blueprint that stands here."""

from .bad_input import blueprint as bad_input_blueprint
from .caching import blueprint as caching_blueprint
from .chart import blueprint as chart_blueprint
from .data_checks import blueprint as data_checks_blueprint
from .database_session import blueprint as database_session_blueprint
from .departments import blueprint as departments_blueprint
from .download import blueprint as download_blueprint
from .entries import blueprint as entries_blueprint
from .exports import blueprint as exports_blueprint
from .harvest_exports import blueprint as harvest_exports_blueprint
from .harvest_mapping import blueprint as harvest_mapping_blueprint
from .harvest_records import blueprint as harvest_records_blueprint
from .harvest_runs import blueprint as harvest_runs_blueprint
from .harvest_sources import blueprint as harvest_sources_blueprint
from .home import blueprint as home_blueprint
from .load import blueprint as load_blueprint
from .map import blueprint as map_blueprint
from .quality import blueprint as quality_blueprint
from .script_texts import blueprint as script_texts_blueprint
from .table import blueprint as table_blueprint
from .table_description import blueprint as table_description_blueprint
from .targets import blueprint as targets_blueprint
from .themes import blueprint as themes_blueprint
from .versions import blueprint as versions_blueprint

__all__ = [
    "bad_input_blueprint",
    "caching_blueprint",
    "chart_blueprint",
    "data_checks_blueprint",
    "database_session_blueprint",
    "departments_blueprint",
    "download_blueprint",
    "entries_blueprint",
    "exports_blueprint",
    "harvest_exports_blueprint",
    "harvest_mapping_blueprint",
    "harvest_records_blueprint",
    "harvest_runs_blueprint",
    "harvest_sources_blueprint",
    "home_blueprint",
    "load_blueprint",
    "map_blueprint",
    "quality_blueprint",
    "script_texts_blueprint",
    "table_blueprint",
    "table_description_blueprint",
    "targets_blueprint",
    "themes_blueprint",
    "versions_blueprint",
]
