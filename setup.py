"""Packaging. One import package, ``ckanext.openhuizhou``, lives in three top-level folders (docs/architecture.md)."""

from setuptools import find_namespace_packages, setup

setup(
    package_dir={"": "ckanext-openhuizhou"},
    packages=find_namespace_packages("ckanext-openhuizhou", include=["ckanext.openhuizhou*"]),
)
