"""Stages that keep state: tasks, their outboxes and their stores."""
