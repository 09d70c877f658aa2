"""Typed async SDK for Amazon FSx backup copies."""
