"""Dataflow: launches checked and settled, GPUs, Flex templates."""
