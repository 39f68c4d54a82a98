"""The Workers product behind its routes: scripts, versions, deployments, bindings, Durable Objects,
assets."""
