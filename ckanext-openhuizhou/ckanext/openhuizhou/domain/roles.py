"""Roles that CKAN does not have: they reach over all departments."""

from __future__ import annotations

#: platform_officer: publish review, sources of every department, targets, tasks, reports.
#: security_officer: rules about personal data, access grants, lockout. auditor: reads everything, changes nothing.
PLATFORM_OFFICER, SECURITY_OFFICER, AUDITOR = "platform_officer", "security_officer", "auditor"
ROLES = (PLATFORM_OFFICER, SECURITY_OFFICER, AUDITOR)
