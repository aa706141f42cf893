"""The table keeper: a Lambda function that brings Iceberg tables to what is declared, by Iceberg's own steps.

This folder is the function's code as it stands: it imports nothing but the standard library and, in `rest`,
the AWS SDK of Lambda's runtime, and nothing of `aiplatform`.
"""
