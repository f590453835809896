"""A kind of contract that import-linter lacks: modules that may import only what is listed."""

from __future__ import annotations

import sys

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OnlyContract(Contract):
    """Modules with `part_of_name` in their dotted name import the standard library, `allowed`, and
    such modules of their own service.

    The other way round, a list of what is forbidden, would forget the next library.
    """

    type_name = "only"

    part_of_name = fields.StringField()
    allowed = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Check every direct import of every such module."""
        wrong = [
            (importer, imported)
            for importer in sorted(self._sources(graph))
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not self.is_allowed(importer, imported)
        ]
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name each import that is not allowed."""
        for importer, imported in check.metadata["wrong"]:
            output.print_error(f"{importer} may not import {imported}")

    def _sources(self, graph: ImportGraph) -> set[str]:
        part = str(self.part_of_name)
        return {module for module in graph.modules if part in module.split(".")}

    def is_allowed(self, importer: str, imported: str) -> bool:
        """Tell whether `importer` may import `imported`."""
        if imported.partition(".")[0] in sys.stdlib_module_names:
            return True
        allowed: list[str] = list(self.allowed)  # type: ignore[call-overload]  # a field becomes its value
        if any(imported == name or imported.startswith(f"{name}.") for name in allowed):
            return True
        same_service = importer.split(".")[:2] == imported.split(".")[:2]
        return same_service and str(self.part_of_name) in imported.split(".")
