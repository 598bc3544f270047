"""What crosses the boundary of the system: payloads, reviews, scores and rejections.

Imports the standard library only, so that any reader of the rows can use it.
"""
