"""The checks of one load by the rules of its entry: cells in the pass over the rows, the rest in SQL on the result.

``checked`` wraps whatever stages a table: it keeps what was found, and says whether the table has to wait for an
officer. What the checks are, and what follows from what they find, is in ``domain.table_checks``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
from ckanext.datastore.backend.postgres import get_write_engine, identifier

from ckanext.openhuizhou.data import bad_rows, datastore_tables, held_tables, table_checks_sql
from ckanext.openhuizhou.data.cell_checks import ColumnCheck
from ckanext.openhuizhou.data.row_checks import RowCheck, TableChecks
from ckanext.openhuizhou.data.tables import StagedTable, discard_table
from ckanext.openhuizhou.domain.column_match import ColumnMatch
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.table_checks import Level, Report, Result, Rule, Tally, judge, rules_with
from ckanext.openhuizhou.errors import TableRefused
from ckanext.openhuizhou.model import data_check

#: Findings of kinds that no rule decides about: personal data, rows of the wrong width …
ALWAYS = "always"
_HEADER = {
    "table-column-missing": "column-missing",
    "table-column-extra": "column-extra",
    "table-column-duplicate": "column-duplicate",
}


@dataclass(slots=True)
class Inspection:
    """The checks of one load (``row_checks.TableChecks``). ``before``: rows of the published table, None without."""

    rules: dict[str, Rule]
    before: int | None = None
    rows: int = 0
    tallies: list[Tally] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    _columns: list[ColumnCheck] = field(default_factory=list)
    _told: list[Finding] = field(default_factory=list)

    def header(self, match: ColumnMatch) -> None:
        """The columns of a file were matched with the items."""
        for finding in match.findings:
            check = _HEADER.get(finding.kind)
            if check is None:
                self._told.append(finding)
            elif self.rules[check].level != Level.IGNORE:
                self._tally(check, len(match.items)).add(finding)

    def _tally(self, check: str, of: int) -> Tally:
        known = next((tally for tally in self.tallies if tally.check == check), None)
        if known is None:
            known = Tally(check, of=of)
            self.tallies.append(known)
        return known

    def found(self, tally: Tally) -> None:
        """What the pass over the rows counts by itself."""
        self.tallies.append(tally)

    def refuses_any(self, check: str) -> bool:
        return self.rules[check] == Rule(Level.REFUSE)

    def of_column(self, item: Item) -> RowCheck | None:
        """What looks at the column; the first one counts the rows as well."""
        self.items.append(item)
        check = ColumnCheck.of(item, self.rules)
        if not check.questions and self._columns:
            return None
        self._columns.append(check)
        return check

    def look_at_table(self, connection: sa.Connection, table: str, items: Sequence[Item]) -> None:
        """The checks of the table as a whole."""
        self.rows, tallies = table_checks_sql.look_at(connection, table, items, self.rules, self.before)
        self.tallies += tallies

    def report(self) -> Report:
        """What is known now."""
        rows = self.rows or (self._columns[0].rows if self._columns else 0)
        of_cells = (tally for column in self._columns for tally in column.tallies)
        return judge([*self.tallies, *of_cells], rows, self.rules)

    def refusals(self) -> Iterable[Finding]:
        return self.report().findings(Level.REFUSE)

    def findings(self) -> Iterable[Finding]:
        return [*self.report().findings(Level.HOLD, Level.WARN), *self._told]


def begin(resource_id: str, package_id: str) -> Inspection:
    """The checks of a new load of this resource."""
    mark = datastore_tables.live_mark(resource_id)
    rules = rules_with(data_check.rules_of(package_id))
    return Inspection(rules, None if mark is None else mark["rows"])


def by_default() -> Inspection:
    """The checks with nobody's rules but the platform's."""
    return Inspection(rules_with({}))


def checked(
    resource_id: str, package_id: str, stage: Callable[[TableChecks], StagedTable], *, keep: bool = True
) -> StagedTable:
    """Stage a table under the checks of its entry; ``stage`` takes them. ``keep``: False for a trial, which leaves
    nothing behind.

    Raises:
        TableRefused: as ``stage``; also when an officer has discarded exactly these rows before.
    """
    inspection = begin(resource_id, package_id)
    try:
        staged = stage(inspection)
    except TableRefused as error:
        if keep:
            held_tables.let_go(resource_id)
            _keep(resource_id, package_id, _refused(inspection.report(), error.findings), None)
        raise
    report = inspection.report()
    if not keep:
        return replace(staged, held=report.verdict == "held")
    if not staged.changed:
        _keep_unchanged(resource_id, package_id, staged, inspection)
        return staged
    decision = data_check.decision_on(resource_id, staged.digest) if report.verdict == "held" else None
    if decision == "discard":
        discard_table(staged)
        raise TableRefused([Finding("table-discarded")])
    if decision == "publish":
        report = replace(report, verdict="warned")
    _keep(resource_id, package_id, report, staged.digest)
    if report.verdict == "held":
        held_tables.keep_only(staged)
    return replace(staged, held=report.verdict == "held", findings=(*staged.findings, *_held(report)))


def _held(report: Report) -> Iterator[Finding]:
    if report.verdict == "held":
        yield Finding("table-held", params={"count": report.bad_rows})


def _refused(report: Report, findings: Sequence[Finding]) -> Report:
    """The report with what refuses a table whatever the rules say."""
    known = {finding.kind for result in report.results for finding in result.listed()}
    others: dict[str | None, list[Finding]] = {}
    for finding in findings:
        if finding.kind not in known:
            others.setdefault(finding.column, []).append(finding)
    results = [Result(ALWAYS, column, Level.REFUSE, len(found), 0.0, tuple(found)) for column, found in others.items()]
    return replace(report, verdict="refused", results=(*results, *report.results))


def _keep(resource_id: str, package_id: str, report: Report, digest: str | None) -> None:
    bad_rows.write(resource_id, report)
    data_check.record_check(
        resource_id,
        package_id,
        verdict=report.verdict,
        digest=digest,
        rows=report.rows,
        bad_rows=report.bad_rows,
        results=[result.as_dict() for result in report.results],
    )


def _keep_unchanged(resource_id: str, package_id: str, staged: StagedTable, inspection: Inspection) -> None:
    """The rows are those that are published. What waited, or was refused, before is no longer what the source says."""
    known = data_check.check_of(resource_id)
    if known is not None and known.digest == staged.digest and known.verdict in ("passed", "warned"):
        return
    with get_write_engine().connect() as connection:
        inspection.look_at_table(connection, identifier(resource_id), inspection.items)
    report = inspection.report()
    if report.verdict in ("held", "refused"):  # rules that came later say nothing of what was published before
        report = replace(report, verdict="warned")
    held_tables.let_go(resource_id)
    _keep(resource_id, package_id, report, staged.digest)
