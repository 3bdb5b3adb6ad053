"""What an entry looks like: the scheming files of the three types, and the code lists that they draw on.

Pure data and its reader. Rules that need more than one field are in ``domain.entry_rules``.
"""

from __future__ import annotations

from ckanext.openhuizhou.schemas.code_lists import Code, CodeList, code_list, code_lists, read_code_list

__all__ = ["Code", "CodeList", "code_list", "code_lists", "read_code_list"]
