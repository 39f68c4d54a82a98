"""Versions, deployments, promotion and rollback. Its state is the account."""
