"""What told the engine that a record has changed, or has not. Named in each run's report.

The order is that of trust: a rule of the source's own saves the reading, the content is the last word.
"""

from __future__ import annotations

from typing import Final

from ckanext.openhuizhou.domain.findings import N_

#: rule → what it means, as a msgid
RULES: Final[dict[str, str]] = {
    "source-not-modified": N_("the source answered that nothing has changed (304)"),
    "etag": N_("ETag of the file or service"),
    "last-modified": N_("time of change that the server names"),
    "listing": N_("size and time in the folder's listing"),
    "version": N_("version that the source gives with the record"),
    "watermark": N_("watermark of the table: latest change and number of rows"),
    "content": N_("content, compared by its hash"),
    "payload": N_("description as the source sent it, compared by its hash"),
    "new": N_("the record was not known before"),
    "mapping": N_("mapping or rules of the platform have changed"),
    "full": N_("a person asked to read everything anew"),
    "again": N_("the record did not end well at its last reading"),
}
