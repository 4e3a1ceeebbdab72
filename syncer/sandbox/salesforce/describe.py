"""Describe: what objects the org has, and everything it says of their fields.

*REST API Developer Guide*, Describe Global and sObject Describe. The members of a field and their order are
those of the real answer, so that a client that reads any of them finds it.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from syncer.sandbox.exchange import Exchange
from syncer.sandbox.salesforce.door import read, reply, version_of
from syncer.sandbox.salesforce.field import DECIMAL_KINDS, Field
from syncer.sandbox.salesforce.objects import ObjectType
from syncer.sandbox.salesforce.rows import table_of

if TYPE_CHECKING:
    from syncer.sandbox.salesforce.world import SalesforceWorld

_AUDIT = frozenset({"OwnerId", "PhotoUrl", "IndividualId", "IsEmailBounced", "EmailBouncedReason", "EmailBouncedDate"})
_LONG = 255
_MASTER = "012000000000000AAA"


def describe_field(own: Field) -> dict[str, Any]:
    """A field as describe prints it."""
    is_long = own.kind == "textarea" and own.length > _LONG
    is_compound = own.kind == "address"
    is_text = own.length > 0 and own.kind not in {"id", "reference"}
    return {
        "aggregatable": not (is_long or is_compound or own.kind == "boolean"),
        "autoNumber": False,
        "byteLength": own.length * 3 if is_text else own.length,
        "calculated": False,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": own.is_case_sensitive,
        "compoundFieldName": own.compound,
        "controllerName": None,
        "createable": own.is_createable,
        "custom": own.is_custom,
        "defaultValue": own.default,
        "defaultValueFormula": None,
        "defaultedOnCreate": own.is_defaulted,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": own.digits,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": own.is_external_id,
        "extraTypeInfo": own.extra,
        "filterable": not is_long,
        "filteredLookupInfo": None,
        "groupable": not (is_long or is_compound or own.kind == "datetime" or own.kind in DECIMAL_KINDS),
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": own.is_id_lookup,
        "inlineHelpText": None,
        "label": own.label,
        "length": own.length,
        "mask": None,
        "maskType": None,
        "name": own.name,
        "nameField": own.name == "Name",
        "namePointing": own.is_polymorphic,
        "nillable": own.is_nillable,
        "permissionable": not (own.is_required or own.compound == "Name" or own.name in _AUDIT)
        and (own.is_createable or own.is_updateable or is_compound),
        "picklistValues": [
            {"active": True, "defaultValue": value == own.default, "label": value, "validFor": None, "value": value}
            for value in own.values
        ],
        "polymorphicForeignKey": own.is_polymorphic,
        "precision": own.precision,
        "queryByDistance": is_compound,
        "referenceTargetField": None,
        "referenceTo": list(own.parents),
        "relationshipName": own.relation,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": own.is_restricted,
        "scale": own.scale,
        "searchPrefilterable": own.kind == "reference" and own.is_createable and not own.is_defaulted,
        "soapType": own.soap_type,
        "sortable": not (is_long or is_compound),
        "type": own.kind,
        "unique": own.is_unique,
        "updateable": own.is_updateable,
        "writeRequiresMasterRead": False,
    }


def _urls(own: ObjectType, version: float) -> dict[str, str]:
    base = f"/services/data/v{version}/sobjects/{own.name}"
    return {
        "compactLayouts": f"{base}/describe/compactLayouts",
        "rowTemplate": f"{base}/{{ID}}",
        "approvalLayouts": f"{base}/describe/approvalLayouts",
        "listviews": f"{base}/listviews",
        "describe": f"{base}/describe",
        "quickActions": f"{base}/quickActions",
        "layouts": f"{base}/describe/layouts",
        "sobject": base,
    }


def _summary(own: ObjectType, version: float) -> dict[str, Any]:
    """An entry of the global describe."""
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": own.is_writeable,
        "custom": False,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": own.is_writeable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": own.prefix,
        "label": own.label,
        "labelPlural": f"{own.label}s",
        "layoutable": True,
        "mergeable": own.name in {"Account", "Contact", "Lead"},
        "mruEnabled": True,
        "name": own.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": True,
        "triggerable": True,
        "undeletable": own.is_undeletable,
        "updateable": own.is_writeable,
        "urls": _urls(own, version),
    }


def describe_object(own: ObjectType, version: float) -> dict[str, Any]:
    """An object as describe prints it, its members in the order of the real answer."""
    layout = f"/services/data/v{version}/sobjects/{own.name}/describe/layouts/{_MASTER}"
    master = {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "master": True,
        "name": "Master",
        "recordTypeId": _MASTER,
        "urls": {"layout": layout},
    }
    described = _summary(own, version) | {
        "actionOverrides": [],
        "childRelationships": [],
        "compactLayoutable": True,
        "fields": [describe_field(each) for each in own.fields],
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [master],
        "searchLayoutable": True,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {own.label.lower()}s", "name": "everything"}],
    }
    for name in ("deepCloneable", "isInterface", "associateEntityType", "associateParentEntity"):
        del described[name]
    return dict(sorted(described.items()))


def _conditional(world: SalesforceWorld, exchange: Exchange, body: dict[str, Any]) -> Response:
    """Answer 304 if the client has it already; the org's layout is as old as the org."""
    changed = datetime.fromtimestamp(int(world.clock.start), UTC)
    etag = hashlib.sha256(repr(body).encode()).hexdigest()[:8]
    headers = {"Last-Modified": format_datetime(changed, usegmt=True), "ETag": f'"{etag}"'}
    since = exchange.headers.get("if-modified-since")
    if exchange.headers.get("if-none-match") == headers["ETag"]:
        return Response(b"", 304, headers=headers)
    if since is not None:
        try:
            is_known = parsedate_to_datetime(since) >= changed
        except (ValueError, TypeError):
            is_known = False
        if is_known:
            return Response(b"", 304, headers=headers)
    return reply(body, headers=headers)


async def describe_global(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /sobjects`."""
    version = version_of(exchange)
    await read(world, exchange, "describe_global")
    objects = [_summary(table.type, version) for table in world.org.store.tables.values()]
    return _conditional(world, exchange, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})


async def describe(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /sobjects/{Object}/describe`."""
    version, table = version_of(exchange), table_of(world, exchange)
    await read(world, exchange, "describe")
    return _conditional(world, exchange, describe_object(table.type, version))


async def basic(world: SalesforceWorld, exchange: Exchange) -> Response:
    """`GET /sobjects/{Object}`: the summary and recently used records, of which the sandbox keeps none."""
    version, table = version_of(exchange), table_of(world, exchange)
    await read(world, exchange, "describe")
    return reply({"objectDescribe": _summary(table.type, version), "recentItems": []})
