"""The Salesforce REST, collections and Bulk API 2.0."""
