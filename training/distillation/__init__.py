"""Soft labels from teacher models."""
