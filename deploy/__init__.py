"""Container image, templates and schedules."""
