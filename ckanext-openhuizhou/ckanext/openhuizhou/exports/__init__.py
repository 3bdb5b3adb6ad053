"""Published tables as files to take away: formats, whole tables that are kept as files, the ZIP of an entry.

``rows`` reads a table at one moment, each module named after a format writes it as bytes, ``formats`` lists them,
``store`` keeps whole tables as files, ``dataset_zip`` packs an entry. Nothing here asks who may read: views do.
"""
