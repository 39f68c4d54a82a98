"""What a project looks like to other tools: pipelines of GitHub and GitLab."""
