"""What the parts of a manifest mean together: one function a rule, one code each, all findings at once.

Pure: the described objects, the sources' headers and the targets' paths are handed in, and what is not handed in is not
judged. A rule yields findings and changes nothing; later rules hold whatever the earlier ones found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncer.diagnostics import in_order
from syncer.manifest import check_fields, check_names, check_operations, check_secrets, check_sources
from syncer.manifest.known import Known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from syncer.capability import Capabilities
    from syncer.diagnostics import Diagnostic
    from syncer.facts import ObjectSchema
    from syncer.manifest.read import Project

RULES: tuple[Callable[[Known], Iterator[Diagnostic]], ...] = (
    check_secrets.load_templates_are_sound,
    check_secrets.secrets_are_not_written,
    check_secrets.rows_reach_no_secret,
    check_secrets.templates_stand_where_they_work,
    check_names.unknown_names,
    check_names.waiting_in_a_circle,
    check_names.extending_in_a_circle,
    check_names.unused_definitions,
    check_names.tests_of_nothing,
    check_sources.one_kind,
    check_sources.options_fit,
    check_sources.what_is_read,
    check_sources.cursors_are_ordered,
    check_sources.column_contracts,
    check_sources.declared_columns_exist,
    check_operations.fixed_paths_have_reasons,
    check_operations.paths_exist,
    check_operations.options_fit,
    check_operations.needed_options,
    check_operations.deleting_is_limited,
    check_fields.snapshots_exist,
    check_fields.fields_exist,
    check_fields.fields_can_be_written,
    check_fields.keys_are_mapped,
    check_fields.keys_are_keys,
    check_fields.keys_suit_the_action,
    check_fields.required_fields_are_mapped,
    check_fields.fields_are_mapped_once,
    check_fields.marks_have_a_field,
)


def check(
    project: Project,
    schemas: Mapping[tuple[str, str], ObjectSchema],
    columns: Mapping[str, Sequence[str]],
    capabilities: Mapping[tuple[str, str], Capabilities] | None = None,
) -> tuple[Diagnostic, ...]:
    """Return every finding about a project, sorted by place.

    `schemas` and `capabilities` are by connection and object, `columns` are the headers of sources by name.
    """
    known = Known(project.manifest, project.positions, schemas, columns, capabilities or {})
    return in_order(finding for rule in RULES for finding in rule(known))
