"""The account and the region of an environment.

A program for dev must not change prod: providers name their account or project, resources match the name of
their environment, and regions are those that are allowed.
"""
