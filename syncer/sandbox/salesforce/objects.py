"""The default org: Account, Contact, Lead, Campaign, CampaignMember and User, with the vendor's standard fields.

Standard fields follow *Object Reference for the Salesforce Platform*. The custom fields, which end in `__c`,
are the sandbox's own: one of each kind that a loader must treat apart, and four sorts of key. Their names are
documented here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from syncer.sandbox.salesforce.field import Field, parse_table

PICKLISTS: dict[str, tuple[str, ...]] = {
    "SALUTATION": ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof."),
    "SOURCE": ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"),
    "RATING": ("Hot", "Warm", "Cold"),
    "INDUSTRY": ("Agriculture", "Banking", "Education", "Energy", "Finance", "Healthcare", "Media", "Retail", "Other"),
    "OWNERSHIP": ("Public", "Private", "Subsidiary", "Other"),
    "ACCOUNT_TYPE": ("Prospect", "Customer - Direct", "Customer - Channel", "Technology Partner", "Other"),
    "CAMPAIGN_TYPE": ("Conference", "Webinar", "Trade Show", "Advertisement", "Direct Mail", "Email", "Other"),
    "CAMPAIGN_STATUS": ("Planned", "In Progress", "Completed", "Aborted"),
    "LEAD_STATUS": ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted"),
    "MEMBER_STATUS": ("Sent", "Responded"),
    "ACCURACY": ("Address", "NearAddress", "Block", "Street", "ExtendedZip", "Zip", "City", "State", "Unknown"),
    "CLEAN": ("Matched", "Different", "Acknowledged", "NotFound", "Inactive", "Pending", "SelectMatch", "Skipped"),
    "TIER": ("Gold", "Silver", "Bronze"),
    "INTERESTS": ("Cycling", "Music", "Travel", "Cooking"),
}

_AUDIT = """
CreatedDate | Created Date | datetime | D
CreatedById | Created By ID | reference User:CreatedBy | D
LastModifiedDate | Last Modified Date | datetime | D
LastModifiedById | Last Modified By ID | reference User:LastModifiedBy | D
SystemModstamp | System Modstamp | datetime | D
"""
_VIEWED = """
LastActivityDate | Last Activity | date | N
LastViewedDate | Last Viewed Date | datetime | N
LastReferencedDate | Last Referenced Date | datetime | N
"""


def _address(compound: str, prefix: str, label: str) -> str:
    return f"""
{prefix}Street | {label}Street | textarea(255) | CUN in {compound}
{prefix}City | {label}City | string(40) | CUN in {compound}
{prefix}State | {label}State/Province | string(80) | CUN in {compound}
{prefix}PostalCode | {label}Zip/Postal Code | string(20) | CUN in {compound}
{prefix}Country | {label}Country | string(80) | CUN in {compound}
{prefix}Latitude | {label}Latitude | double(18,15) | CUN in {compound}
{prefix}Longitude | {label}Longitude | double(18,15) | CUN in {compound}
{prefix}GeocodeAccuracy | {label}Geocode Accuracy | picklist(40) | CUNR in {compound}; values ACCURACY
{compound} | {label}Address | address | N
"""


_PERSON_NAME = """
LastName | Last Name | string(80) | CU in Name; extra personname
FirstName | First Name | string(40) | CUN in Name; extra personname
Salutation | Salutation | picklist(40) | CUN in Name; extra personname; values SALUTATION
Name | Full Name | string(121) | extra personname
"""

_ACCOUNT = (
    """
Id | Account ID | id | DI
IsDeleted | Deleted | boolean | D
MasterRecordId | Master Record ID | reference Account:MasterRecord | N
Name | Account Name | string(255) | CU extra switchablepersonname
Type | Account Type | picklist(40) | CUN values ACCOUNT_TYPE
ParentId | Parent Account ID | reference Account:Parent | CUN
"""
    + _address("BillingAddress", "Billing", "Billing ")
    + _address("ShippingAddress", "Shipping", "Shipping ")
    + """
Phone | Account Phone | phone(40) | CUN
Fax | Account Fax | phone(40) | CUN
AccountNumber | Account Number | string(40) | CUN
Website | Website | url(255) | CUN
Sic | SIC Code | string(20) | CUN
Industry | Industry | picklist(40) | CUN values INDUSTRY
AnnualRevenue | Annual Revenue | currency(18,0) | CUN
NumberOfEmployees | Employees | int(8) | CUN
Ownership | Ownership | picklist(40) | CUN values OWNERSHIP
TickerSymbol | Ticker Symbol | string(20) | CUN
Description | Account Description | textarea(32000) | CUN
Rating | Account Rating | picklist(40) | CUN values RATING
Site | Account Site | string(80) | CUN
OwnerId | Owner ID | reference User:Owner | CUD
"""
    + _AUDIT
    + _VIEWED
    + """
AccountSource | Account Source | picklist(40) | CUN values SOURCE
Crm_Key__c | Crm Key | string(64) | CUNIXQ
"""
)

_CONTACT = (
    """
Id | Contact ID | id | DI
IsDeleted | Deleted | boolean | D
MasterRecordId | Master Record ID | reference Contact:MasterRecord | N
AccountId | Account ID | reference Account:Account | CUN
"""
    + _PERSON_NAME
    + _address("OtherAddress", "Other", "Other ")
    + _address("MailingAddress", "Mailing", "Mailing ")
    + """
Phone | Business Phone | phone(40) | CUN
Fax | Business Fax | phone(40) | CUN
MobilePhone | Mobile Phone | phone(40) | CUN
HomePhone | Home Phone | phone(40) | CUN
OtherPhone | Other Phone | phone(40) | CUN
AssistantPhone | Asst. Phone | phone(40) | CUN
ReportsToId | Reports To ID | reference Contact:ReportsTo | CUN
Email | Email | email(80) | CUNI
Title | Title | string(128) | CUN
Department | Department | string(80) | CUN
AssistantName | Assistant's Name | string(40) | CUN
LeadSource | Lead Source | picklist(40) | CUN values SOURCE
Birthdate | Birthdate | date | CUN
Description | Contact Description | textarea(32000) | CUN
OwnerId | Owner ID | reference User:Owner | CUD
"""
    + _AUDIT
    + _VIEWED
    + """
EmailBouncedReason | Email Bounced Reason | string(255) | CUN
EmailBouncedDate | Email Bounced Date | datetime | CUN
IsEmailBounced | Is Email Bounced | boolean | D
PhotoUrl | Photo URL | url(255) | N extra imageurl
Jigsaw | Data.com Key | string(20) | CUN
CleanStatus | Clean Status | picklist(40) | CUNR values CLEAN
IndividualId | Individual ID | reference Individual:Individual | CUN
Crm_Key__c | Crm Key | string(64) | CUNIXQ
Badge_Code__c | Badge Code | string(32) | CUNIXQS
Legacy_Key__c | Legacy Key | string(64) | CUNIX
Sponsor__c | Sponsor | reference Account:Sponsor__r | CUN
Tier__c | Tier | picklist(255) | CUNR values TIER
Interests__c | Interests | multipicklist(4099) | CUN values INTERESTS
Is_Vip__c | Is Vip | boolean | CUD
Score__c | Score | double(18,0) | CUN
Discount__c | Discount | percent(5,2) | CUN
Lifetime_Value__c | Lifetime Value | currency(16,2) | CUN
Renewed_At__c | Renewed At | datetime | CUN
Call_Time__c | Call Time | time | CUN
Notes__c | Notes | textarea(32768) | CUN
Profile_Url__c | Profile Url | url(255) | CUN
Work_Email__c | Work Email | email(80) | CUN
"""
)

_LEAD = (
    """
Id | Lead ID | id | DI
IsDeleted | Deleted | boolean | D
MasterRecordId | Master Record ID | reference Lead:MasterRecord | N
"""
    + _PERSON_NAME
    + """
Title | Title | string(128) | CUN
Company | Company | string(255) | CU
"""
    + _address("Address", "", "")
    + """
Phone | Phone | phone(40) | CUN
MobilePhone | Mobile Phone | phone(40) | CUN
Fax | Fax | phone(40) | CUN
Email | Email | email(80) | CUNI
Website | Website | url(255) | CUN
Description | Description | textarea(32000) | CUN
LeadSource | Lead Source | picklist(40) | CUN values SOURCE
Status | Status | picklist(40) | CUD values LEAD_STATUS; default Open - Not Contacted
Industry | Industry | picklist(40) | CUN values INDUSTRY
Rating | Rating | picklist(40) | CUN values RATING
AnnualRevenue | Annual Revenue | currency(18,0) | CUN
NumberOfEmployees | Employees | int(8) | CUN
OwnerId | Owner ID | reference Group,User:Owner | CUD
IsConverted | Converted | boolean | CD
ConvertedDate | Converted Date | date | N
ConvertedAccountId | Converted Account ID | reference Account:ConvertedAccount | N
ConvertedContactId | Converted Contact ID | reference Contact:ConvertedContact | N
IsUnreadByOwner | Unread By Owner | boolean | CUD
"""
    + _AUDIT
    + _VIEWED
    + """
EmailBouncedReason | Email Bounced Reason | string(255) | UN
EmailBouncedDate | Email Bounced Date | datetime | UN
IndividualId | Individual ID | reference Individual:Individual | CUN
Crm_Key__c | Crm Key | string(64) | CUNIXQ
"""
)

_CAMPAIGN = (
    """
Id | Campaign ID | id | DI
IsDeleted | Deleted | boolean | D
Name | Name | string(80) | CUI
ParentId | Parent Campaign ID | reference Campaign:Parent | CUN
Type | Type | picklist(40) | CUND values CAMPAIGN_TYPE; default Conference
Status | Status | picklist(40) | CUND values CAMPAIGN_STATUS; default Planned
StartDate | Start Date | date | CUN
EndDate | End Date | date | CUN
ExpectedRevenue | Expected Revenue in Campaign | currency(18,0) | CUN
BudgetedCost | Budgeted Cost in Campaign | currency(18,0) | CUN
ActualCost | Actual Cost in Campaign | currency(18,0) | CUN
ExpectedResponse | Expected Response (%) | percent(10,2) | CUN
NumberSent | Num Sent in Campaign | double(18,0) | CUN
IsActive | Active | boolean | CUD
Description | Description | textarea(32000) | CUN
NumberOfLeads | Leads in Campaign | int(9) |
NumberOfContacts | Contacts in Campaign | int(9) |
NumberOfResponses | Responses in Campaign | int(9) |
OwnerId | Owner ID | reference User:Owner | CUD
"""
    + _AUDIT
    + _VIEWED
    + """
CampaignMemberRecordTypeId | Record Type ID | reference RecordType:CampaignMemberRecordType | CUN
External_Key__c | External Key | string(64) | CUNIXQ
"""
)

_CAMPAIGN_MEMBER = (
    """
Id | Campaign Member ID | id | DI
IsDeleted | Deleted | boolean | D
CampaignId | Campaign ID | reference Campaign:Campaign | C
LeadId | Lead ID | reference Lead:Lead | CN
ContactId | Contact ID | reference Contact:Contact | CN
Status | Status | picklist(40) | CUND values MEMBER_STATUS; default Sent
HasResponded | Responded | boolean | D
"""
    + _AUDIT
    + """
Member_Key__c | Member Key | string(130) | CUNIXQ
"""
)

_USER = """
Id | User ID | id | DI
Username | Username | string(80) | I
LastName | Last Name | string(80) | in Name; extra personname
FirstName | First Name | string(40) | N in Name; extra personname
Name | Full Name | string(121) | extra personname
Email | Email | email(128) | I
IsActive | Active | boolean | D
"""


@dataclass(frozen=True)
class ObjectType:
    """An object of the org: its name, id prefix and fields."""

    name: str
    prefix: str
    fields: tuple[Field, ...]
    label: str
    is_writeable: bool = True
    is_undeletable: bool = True

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Fields by name in lower case: the vendor's names ignore case."""
        return {each.name.lower(): each for each in self.fields}

    @cached_property
    def by_relation(self) -> dict[str, Field]:
        """Reference fields by the name of their relation in lower case."""
        return {each.relation.lower(): each for each in self.fields if each.relation}

    def find(self, name: str) -> Field | None:
        """The field of that name in any case."""
        return self.by_name.get(name.lower())


def _object(name: str, prefix: str, table: str, label: str = "", **options: bool) -> ObjectType:
    lines = "\n".join(line for line in table.splitlines() if line.strip())
    return ObjectType(name, prefix, parse_table(lines, PICKLISTS), label or name, **options)


DEFAULT_OBJECTS: tuple[ObjectType, ...] = (
    _object("Account", "001", _ACCOUNT),
    _object("Campaign", "701", _CAMPAIGN),
    _object("CampaignMember", "00v", _CAMPAIGN_MEMBER, "Campaign Member", is_undeletable=False),
    _object("Contact", "003", _CONTACT),
    _object("Lead", "00Q", _LEAD),
    _object("User", "005", _USER, is_writeable=False, is_undeletable=False),
)
# Objects that fields refer to and that the sandbox does not keep: their ids are told apart by prefix and never exist.
FOREIGN_PREFIXES = {"Individual": "0PK", "RecordType": "012", "Group": "00G"}
