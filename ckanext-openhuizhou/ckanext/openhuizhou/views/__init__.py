"""The pages of ours; CKAN registers every blueprint that stands here."""

from .download import blueprint as download_blueprint

__all__ = ["download_blueprint"]
